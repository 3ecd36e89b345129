/**
 * Which stream keeps an event (promise 14): `acts` are what people and the system did to licenses, orgs and rules, kept by
 * time alone; `traffic` is what sessions did and what was refused, kept by time and number.
 */
export type Half = 'acts' | 'traffic';

interface EventType {
  readonly half: Half;
  /** Its name in version 0.1: what was written then is read under the new name, and a filter may still say it. */
  readonly was: string;
  readonly doc: string;
  /** What `details` may hold. */
  readonly details: Readonly<Record<string, string>>;
}

const note = 'Why, in the words of who did it.';
const license = 'The id of the license.';

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
    details: { by: 'The id of the machine that has the seat now.', note },
  },
  'session.denied': {
    half: 'traffic',
    was: 'denied',
    doc: 'A claim was refused, for this reason. The first of a user in a minute is told at once, the rest of it together.',
    details: {
      count: 'How many refusals this event stands for, of which the last had this reason and machine.',
    },
  },
  'user.held': {
    half: 'acts',
    was: 'held',
    doc: 'A user is kept out until a time, or, where that has passed, no more.',
    details: { holdUntil: 'Until when, in Unix ms.', note },
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
  'org.counters_repaired': {
    half: 'acts',
    was: 'counters_repaired',
    doc: 'Counters were set to what a recount had found.',
    details: { '<counter>': 'Its new value.' },
  },
} as const satisfies Record<string, EventType>;

export type EventName = keyof typeof eventTypes;
export const eventNames = Object.keys(eventTypes) as EventName[];

const byOldName = new Map<string, EventName>(eventNames.map((name) => [eventTypes[name].was, name]));

/** The type of this name, also of its name in version 0.1; null where there is none. */
export function eventNamed(name: string): EventName | null {
  return Object.hasOwn(eventTypes, name) ? (name as EventName) : (byOldName.get(name) ?? null);
}

/** The table as Lua needs it, for past.lua. */
export function actsInLua(): string {
  const acts = eventNames.filter((name) => eventTypes[name].half === 'acts');
  return `local actTypes = { ${acts.map((name) => `['${name}'] = true`).join(', ')} }`;
}
