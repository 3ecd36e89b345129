import type { EventName } from '../protocol/event-types.js';
import type { AuditEvent, EventOf } from '../protocol/events.js';
import { wordsOf } from './format.js';
import type { Tone } from './parts/badge.js';

export interface EventWords {
  /** What kind of thing happened, in a word or two. */
  readonly label: string;
  readonly tone: Tone;
  /** The rest of a sentence that begins with the user. */
  readonly text: string;
}

const endWords: Readonly<Record<string, string>> = {
  released: 'gave the seat back',
  evicted_by_admin: 'was evicted by an administrator',
  user_renamed: 'was renamed, and has to sign in again',
  lease_expired: 'went away without a word',
  expired: 'went away without a word',
  superseded: 'began anew',
  idle_timeout: 'was idle for too long',
  lease_lost: 'lost the seat to a newer act',
};

/** In the order of how often they happen. */
const wordsByName: { readonly [Name in EventName]: (event: EventOf<Name>) => EventWords } = {
  'session.granted': (event) => ({ label: 'granted', tone: 'good', text: `got the seat${on(event)}` }),
  'session.resumed': (event) => ({
    label: 'resumed',
    tone: 'plain',
    text: `came back to the session${on(event)}`,
  }),
  'session.reasserted': () => ({
    label: 'reasserted',
    tone: 'plain',
    text: 'kept the seat after Redis had lost it',
  }),
  'session.ended': (event) =>
    event.reason === 'taken_over'
      ? { label: 'takeover', tone: 'warn', text: `took the seat over${from(event)}` }
      : {
          label: 'ended',
          tone: event.reason === 'evicted_by_admin' ? 'bad' : 'plain',
          text: `${endWords[event.reason ?? ''] ?? `lost the seat: ${wordsOf(event.reason ?? '')}`}${on(event)}`,
        },
  'session.denied': (event) => ({
    label: 'denied',
    tone: 'bad',
    text: `was refused${times(event)}${on(event)}: ${wordsOf(event.reason ?? '')}`,
  }),
  'session.joined': (event) => ({
    label: 'joined',
    tone: 'plain',
    text: `opened one more program${on(event)}`,
  }),
  'session.left': (event) => ({
    label: 'left',
    tone: 'plain',
    text:
      event.reason === 'lost'
        ? `lost one of several programs${on(event)}`
        : `closed one of several programs${on(event)}`,
  }),
  'session.asked': (event) => ({ label: 'asked', tone: 'plain', text: `asked for the seat${on(event)}` }),
  'leave.begun': (event) => ({ label: 'leave', tone: 'plain', text: `took the seat along${on(event)}` }),
  'leave.undone': () => ({
    label: 'leave undone',
    tone: 'plain',
    text: 'kept the seat: the leave did not hold',
  }),
  'leave.overlapped': (event) => ({
    label: 'leave overlapped',
    tone: 'bad',
    text: `came back from a leave that was lost${on(event)}`,
  }),
  'session.outdated': (event) => ({
    label: 'old version',
    tone: 'warn',
    text: `came with a program that will soon be too old${on(event)}`,
  }),
  'user.held': () => ({ label: 'held', tone: 'warn', text: 'is kept out for a while' }),
  'user.renamed': () => ({ label: 'renamed', tone: 'warn', text: 'got this name' }),
  'user.forgotten': () => ({ label: 'forgotten', tone: 'warn', text: 'was forgotten' }),
  'license.noted': () => ({ label: 'note', tone: 'plain', text: 'got another note on the license' }),
  'license.issued': () => ({ label: 'issued', tone: 'good', text: 'got a license' }),
  'license.suspended': () => ({ label: 'suspended', tone: 'warn', text: 'had the license suspended' }),
  'license.reinstated': () => ({ label: 'reinstated', tone: 'good', text: 'had the license reinstated' }),
  'license.revoked': () => ({ label: 'revoked', tone: 'bad', text: 'had the license revoked' }),
  'license.transferred': (event) => ({
    label: 'transferred',
    tone: 'plain',
    text: `passed the license on to ${event.details.to ?? 'another user'}`,
  }),
  'license.expiry_set': () => ({
    label: 'end date',
    tone: 'plain',
    text: 'got another end date on the license',
  }),
  'license.expired': () => ({ label: 'expired', tone: 'bad', text: 'had the license run out' }),
  'license.grace_begun': () => ({
    label: 'grace',
    tone: 'warn',
    text: 'has a license that has ended, in its days of grace',
  }),
  'license.changed': () => ({ label: 'terms', tone: 'plain', text: 'got other terms on the license' }),
  'license.expires_soon': ({ details }) => ({
    label: 'ends soon',
    tone: 'warn',
    text: `has a license that ends in ${details.days ?? 'a few'} days`,
  }),
  'license.unissued': () => ({
    label: 'taken back',
    tone: 'plain',
    text: 'lost a license of a failed import',
  }),
  'license.imported': ({ details }) => ({
    label: 'imported',
    tone: 'good',
    text: `A file with ${details.licenses ?? 'some'} licenses was imported`,
  }),
  'license.import_undone': () => ({
    label: 'import undone',
    tone: 'warn',
    text: 'An import failed and was undone',
  }),
  'org.changed': () => ({ label: 'settings', tone: 'plain', text: 'Settings of the org were changed' }),
  'org.quota_nearly_used': ({ details }) => ({
    label: 'quota',
    tone: 'warn',
    text: `${details.issued} of ${details.quota} licenses are issued`,
  }),
  'org.quota_exhausted': ({ details }) => ({
    label: 'quota',
    tone: 'bad',
    text: `All ${details.quota} licenses are issued`,
  }),
  'org.seats_nearly_used': ({ details }) => ({
    label: 'seats',
    tone: 'warn',
    text: `${details.active} of ${details.maxActive} seats are in use`,
  }),
  'org.seats_exhausted': ({ details }) => ({
    label: 'seats',
    tone: 'bad',
    text: `All ${details.maxActive} seats are in use`,
  }),
  'org.seats_overdrawn': ({ details }) => ({
    label: 'seats',
    tone: 'bad',
    text: `${details.active} seats are in use, where ${details.maxActive} may be`,
  }),
  'org.suspended': () => ({ label: 'org suspended', tone: 'bad', text: 'The org was suspended' }),
  'org.reinstated': () => ({ label: 'org reinstated', tone: 'good', text: 'The org was let in again' }),
  'token.revoked': ({ details }) => ({
    label: 'token revoked',
    tone: 'bad',
    text: details.token === undefined ? 'had all tokens revoked' : 'had a token revoked',
  }),
  'webhook.created': (event) => aboutWebhook(event, 'was registered'),
  'webhook.changed': (event) => aboutWebhook(event, 'was changed'),
  'webhook.secret_rotated': (event) => aboutWebhook(event, 'got a new secret'),
  'webhook.tested': (event) => aboutWebhook(event, 'was tried'),
  'webhook.parked': (event) => ({ ...aboutWebhook(event, 'is parked'), tone: 'bad' }),
  'webhook.replayed': (event) => aboutWebhook(event, 'was sent events again'),
  'webhook.deleted': (event) => aboutWebhook(event, 'was removed'),
  'user.promoted': ({ details }) => ({
    label: 'owner',
    tone: 'warn',
    text: `${details.owner} was made an owner`,
  }),
  'user.demoted': ({ details }) => ({
    label: 'owner',
    tone: 'warn',
    text: `${details.owner} is no owner any more`,
  }),
  'org.counters_repaired': () => ({
    label: 'recount',
    tone: 'warn',
    text: 'Counters were repaired after a recount',
  }),
};

/** The types that can be chosen from. */
export const eventTypes = Object.keys(wordsByName) as EventName[];

/** An event as people would say it. A type that is not known yet is said as it stands. */
export function wordsFor(event: AuditEvent): EventWords {
  const words = Object.hasOwn(wordsByName, event.type) ? wordsByName[event.type] : undefined;
  return (
    (words as ((of: AuditEvent) => EventWords) | undefined)?.(event) ?? {
      label: wordsOf(event.type),
      tone: 'plain',
      text: wordsOf(event.type),
    }
  );
}

function aboutWebhook(
  { details }: { readonly details: { readonly host?: string } },
  what: string,
): EventWords {
  return { label: 'webhook', tone: 'plain', text: `The webhook at ${details.host ?? 'a URL'} ${what}` };
}

function times({ details }: EventOf<'session.denied'>): string {
  return details.count === undefined ? '' : ` ${details.count} times`;
}

function from({ machine, details }: EventOf<'session.ended'>): string {
  const by = details.by === undefined ? '' : ` on ${details.by}`;
  return machine === undefined ? by : `${by} from ${machine}`;
}

function on({ machine }: AuditEvent): string {
  return machine === undefined ? '' : ` on ${machine}`;
}
