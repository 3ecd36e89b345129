/**
 * Which stream keeps an event (promise 14): `acts` are what people and the system did to licenses, orgs and rules, kept by
 * time alone; `traffic` is what sessions did and what was refused, kept by time and number.
 */
export type Half = 'acts' | 'traffic';

interface EventType {
  readonly half: Half;
  /** Its name in version 0.1, if there was one: what was written then is read under the new name, and a filter may still say it. */
  readonly was?: string;
  readonly doc: string;
  /** What `details` may hold. */
  readonly details: Readonly<Record<string, string>>;
}

const note = 'Why, in the words of who did it.';
const license = 'The id of the license.';
const webhook = 'The id of the webhook.';
const host = 'The host of its URL.';
const owner = 'The `sub` of their admin tokens.';
const seatsInUse = { active: 'How many seats are in use.', maxActive: 'How many may be.' };

/** Every event there is. Lua, the admin API, the command line, the console and docs/events.md go by this table. */
export const eventTypes = {
  'session.granted': { half: 'traffic', was: 'granted', doc: 'A claim got the seat.', details: {} },
  'session.resumed': {
    half: 'traffic',
    was: 'resumed',
    doc: 'A program came back to its session, under a new epoch.',
    details: {},
  },
  'session.reasserted': {
    half: 'traffic',
    was: 'reasserted',
    doc: 'A node put a session back that Redis had lost.',
    details: {},
  },
  'session.ended': {
    half: 'traffic',
    was: 'ended',
    doc: 'A session ended, for this reason. Each that ends writes one such event (promise 13).',
    details: {
      by: 'The id of the machine that has the seat now.',
      note,
      ticketEndsAt:
        'Of a leave that was ended by force: until when its ticket is good on the machine, in Unix ms.',
    },
  },
  'session.denied': {
    half: 'traffic',
    was: 'denied',
    doc: 'A claim was refused, for this reason. The first of a user in a minute is told at once, the rest of it together.',
    details: {
      count: 'How many refusals this event stands for, of which the last had this reason and machine.',
    },
  },
  'session.joined': {
    half: 'traffic',
    doc: 'Another program of the machine holds the session too, where the org lets programs share one.',
    details: {},
  },
  'session.left': {
    half: 'traffic',
    doc: 'A program holds a session no more that others of the machine go on holding: it said so (`released`), or was lost (`lost`).',
    details: {},
  },
  'session.asked': {
    half: 'traffic',
    doc: 'Somebody asked the holder for the seat, from this machine.',
    details: {},
  },
  'leave.begun': {
    half: 'traffic',
    doc: 'A user took the seat along, to use it offline.',
    details: { leaveUntil: 'Until when, in Unix ms.' },
  },
  'leave.undone': {
    half: 'traffic',
    doc: 'A leave was turned back that its program has not heard of; the session goes on.',
    details: {},
  },
  'leave.overlapped': {
    half: 'traffic',
    doc: 'A machine came back with the ticket of a leave that Redis had lost, while another has the seat.',
    details: {
      by: 'The id of the machine that has the seat.',
      ticketEndsAt: 'Until when the ticket is good, in Unix ms.',
    },
  },
  'session.outdated': {
    half: 'traffic',
    doc: 'A program came in that is below the org’s least version, which is not refused yet.',
    details: {},
  },
  'user.held': {
    half: 'acts',
    was: 'held',
    doc: 'A user is kept out until a time, or, where that has passed, no more.',
    details: { holdUntil: 'Until when, in Unix ms.', note },
  },
  'user.renamed': {
    half: 'acts',
    doc: 'A user got another name. What was written before names them by it too.',
    details: { note },
  },
  'user.forgotten': {
    half: 'acts',
    doc: 'All that named a user was deleted. The past stays, without the name.',
    details: { note },
  },
  'license.noted': {
    half: 'acts',
    doc: 'A license got another note, or lost its note.',
    details: { license, note },
  },
  'license.issued': { half: 'acts', was: 'issued', doc: 'A user got a license.', details: { license } },
  'license.suspended': {
    half: 'acts',
    was: 'suspended',
    doc: 'A license was suspended.',
    details: { license, note },
  },
  'license.reinstated': {
    half: 'acts',
    was: 'reinstated',
    doc: 'A suspended license was given its right back.',
    details: { license, note },
  },
  'license.revoked': {
    half: 'acts',
    was: 'revoked',
    doc: 'A license was taken back for good.',
    details: { license, note },
  },
  'license.transferred': {
    half: 'acts',
    was: 'transferred',
    doc: 'A license went from this user to another.',
    details: { license, to: 'The user who has it now.', note },
  },
  'license.expiry_set': {
    half: 'acts',
    was: 'expiry_set',
    doc: 'The end of a license was set or cleared.',
    details: { license, expiresAt: 'The end in Unix ms; missing where there is none any more.' },
  },
  'license.expired': {
    half: 'acts',
    was: 'license_expired',
    doc: 'A license ran out.',
    details: { license },
  },
  'license.grace_begun': {
    half: 'acts',
    doc: 'A license has ended and holds on for its days of grace.',
    details: { license, graceEndsAt: 'Until when, in Unix ms.' },
  },
  'license.changed': {
    half: 'acts',
    doc: 'The terms of a license were changed: its kind, start, days of grace, or whether an idle limit holds for it.',
    details: { license, note, '<term>': 'Its new value; empty where it was taken away.' },
  },
  'license.expires_soon': {
    half: 'acts',
    doc: 'A license that is active ends soon: told 30, 7 and 1 days before.',
    details: { license, expiresAt: 'The end in Unix ms.', days: 'How many days are left, rounded up.' },
  },
  'license.unissued': {
    half: 'acts',
    was: 'unissued',
    doc: 'A license of an import that failed was taken back.',
    details: { license },
  },
  'license.imported': {
    half: 'acts',
    was: 'imported',
    doc: 'A bulk import was completed. Each license of it has an event of its own.',
    details: { import: 'The id of the import.', licenses: 'How many licenses it issued.' },
  },
  'license.import_undone': {
    half: 'acts',
    was: 'import_undone',
    doc: 'A bulk import failed, and all of it was taken back.',
    details: { import: 'The id of the import.', licenses: 'Always 0.' },
  },
  'org.changed': {
    half: 'acts',
    was: 'org_changed',
    doc: 'Settings or machine rules of the org were changed.',
    details: { '<setting>': 'Its new value; empty where it was taken away.' },
  },
  'org.quota_nearly_used': {
    half: 'acts',
    doc: 'Nine tenths of the quota are issued: told once for each crossing.',
    details: { issued: 'How many licenses are issued.', quota: 'How many may be.' },
  },
  'org.quota_exhausted': {
    half: 'acts',
    doc: 'All of the quota is issued: told once for each crossing.',
    details: { issued: 'How many licenses are issued.', quota: 'How many may be.' },
  },
  'org.seats_nearly_used': {
    half: 'traffic',
    doc: 'Nine tenths of the seats that the org may use at once are in use: told once for each crossing.',
    details: seatsInUse,
  },
  'org.seats_exhausted': {
    half: 'traffic',
    doc: 'All seats that the org may use at once are in use: told once for each crossing.',
    details: seatsInUse,
  },
  'org.seats_overdrawn': {
    half: 'traffic',
    doc: 'More seats are in use than the org may use at once, as its overdraft allows: told once for each crossing.',
    details: seatsInUse,
  },
  'org.suspended': {
    half: 'acts',
    doc: 'An org was suspended: nobody of it gets a seat, and its sessions end. No license changes.',
    details: { note },
  },
  'org.reinstated': { half: 'acts', doc: 'A suspended org was let in again.', details: { note } },
  'token.revoked': {
    half: 'acts',
    doc: 'A token was revoked, or all of a user that were issued up to a moment.',
    details: {
      token: 'The `jti` of the token.',
      before: 'The moment, in Unix ms.',
      note,
    },
  },
  'org.counters_repaired': {
    half: 'acts',
    was: 'counters_repaired',
    doc: 'Counters were set to what a recount had found.',
    details: { '<counter>': 'Its new value.' },
  },
  'user.promoted': {
    half: 'acts',
    doc: 'Somebody was made an owner at Redis, by `soleseat owner add`. Stands in the trail of the org `*`.',
    details: { owner },
  },
  'user.demoted': {
    half: 'acts',
    doc: 'Somebody who had been made an owner at Redis is none any more.',
    details: { owner },
  },
  'webhook.created': {
    half: 'acts',
    doc: 'An owner registered a URL for events. Events of webhooks stand in the trail of the org `*`, which is the owners’ own.',
    details: { webhook, host, types: 'What it wants to hear of.', orgs: 'Of which orgs.' },
  },
  'webhook.changed': {
    half: 'acts',
    doc: 'A webhook was changed, paused or set going again.',
    details: { webhook, host, '<field>': 'Its new value.' },
  },
  'webhook.secret_rotated': {
    half: 'acts',
    doc: 'A webhook got a new secret. The one before goes on for a while.',
    details: { webhook, host },
  },
  'webhook.tested': {
    half: 'acts',
    doc: 'Somebody had a webhook tried. The event is what was sent.',
    details: { webhook, host, outcome: 'How the receiver answered.' },
  },
  'webhook.parked': {
    half: 'acts',
    doc: 'A webhook is sent nothing more until somebody sets it going: too much waits for it, or its receiver is gone.',
    details: { webhook, host, waiting: 'How many events wait for it.' },
  },
  'webhook.replayed': {
    half: 'acts',
    doc: 'Somebody had events sent again that could not be delivered.',
    details: { webhook, host, events: 'How many.' },
  },
  'webhook.deleted': { half: 'acts', doc: 'A webhook was removed.', details: { webhook, host } },
} as const satisfies Record<string, EventType>;

export type EventName = keyof typeof eventTypes;
export const eventNames = Object.keys(eventTypes) as EventName[];

const byOldName = new Map<string, EventName>(
  eventNames.flatMap((name) => {
    const { was } = eventTypes[name] as EventType;
    return was === undefined ? [] : [[was, name] as const];
  }),
);

/** The type of this name, also of its name in version 0.1; null where there is none. */
export function eventNamed(name: string): EventName | null {
  return Object.hasOwn(eventTypes, name) ? (name as EventName) : (byOldName.get(name) ?? null);
}

/** The table as Lua needs it, for past.lua. */
export function actsInLua(): string {
  const acts = eventNames.filter((name) => eventTypes[name].half === 'acts');
  return `local actTypes = { ${acts.map((name) => `['${name}'] = true`).join(', ')} }`;
}
