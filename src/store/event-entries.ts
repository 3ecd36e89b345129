import { eventNamed } from '../protocol/event-types.js';
import type { AuditEvent } from '../protocol/events.js';

/** One event of an org's past, as the store gives it. */
export type StoredEvent = AuditEvent<number>;

/** An entry of a stream: its id, and field, value, field, value … */
export type Entry = readonly [id: string, fields: readonly string[]];

/** An entry with its fields by name, before the names of users are put in. */
export interface ReadEntry {
  readonly id: string;
  readonly fields: ReadonlyMap<string, string>;
}

const common = ['actor', 'role', 'user', 'userKey', 'machine', 'reason', 'sessionId', 'node'] as const;
/** Fields that hold a user's key, and where the name goes. */
const userFields = { userKey: 'user', toKey: 'to' } as const;

/** The entries of several streams in the order in which they were written. */
export function inOrder(...streams: readonly (readonly Entry[])[]): ReadEntry[] {
  return streams
    .flat()
    .map(([id, flat]) => ({ id, fields: entryFields(flat) }))
    .sort((one, other) => compareIds(one.id, other.id));
}

/** The keys of users that entries name. */
export function userKeysIn(entries: readonly ReadEntry[]): string[] {
  return entries.flatMap(({ fields }) => Object.keys(userFields).flatMap((field) => fields.get(field) ?? []));
}

/** The event of an entry. A user whose name is not there has been forgotten: the key stays in its place. */
export function eventOf({ id, fields }: ReadEntry, names: ReadonlyMap<string, string>): StoredEvent {
  const left = new Map(fields);
  for (const [field, named] of Object.entries(userFields)) {
    const user = names.get(left.get(field) ?? '');
    if (user === undefined) continue;
    left.delete(field);
    left.set(named, user);
  }
  const take = (name: string) => {
    const value = left.get(name);
    left.delete(name);
    return value;
  };
  const type = take('type') ?? '';
  const at = Number(take('at') ?? 0);
  const epoch = take('epoch');
  const known = common.flatMap((name) => {
    const value = take(name);
    return value === undefined ? [] : [[name, value] as const];
  });
  return {
    id,
    // Version 0.1 wrote other names.
    type: eventNamed(type) ?? type,
    at,
    ...Object.fromEntries(known),
    ...(epoch !== undefined && { epoch: Number(epoch) }),
    details: Object.fromEntries(left),
    // A newer version may have written a type that this one does not know.
  } as StoredEvent;
}

/** When an event was written, by its id: Unix ms, and its number within it. */
export function partsOf(id: string): [ms: number, sequence: number] {
  const [ms, sequence] = id.split('-');
  return [Number(ms), Number(sequence)];
}

export function compareIds(one: string, other: string): number {
  const [oneMs, oneSequence] = partsOf(one);
  const [otherMs, otherSequence] = partsOf(other);
  return oneMs - otherMs || oneSequence - otherSequence;
}

/** Field, value, field, value … by name. */
export function entryFields(flat: readonly string[]): Map<string, string> {
  const fields = new Map<string, string>();
  for (let index = 0; index + 1 < flat.length; index += 2)
    fields.set(flat[index] ?? '', flat[index + 1] ?? '');
  return fields;
}
