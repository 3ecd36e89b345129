import type { EventName, eventTypes } from './event-types.js';

type FieldsOf<Name extends EventName> = keyof (typeof eventTypes)[Name]['details'];

/** What an event of this type may tell beside the common fields. Fields in angle brackets stand for any name. */
type DetailsOf<Name extends EventName> =
  Extract<FieldsOf<Name>, `<${string}>`> extends never
    ? { readonly [Field in FieldsOf<Name>]?: string }
    : Readonly<Record<string, string>>;

/** What events of all types have. `At` is a number of Unix ms in the broker and RFC 3339 in the admin API. */
interface EventBase<At> {
  /** `<Unix ms>-<sequence>`, rising: in the order in which things happened, over both halves of the past. */
  readonly id: string;
  /** By Redis's clock. */
  readonly at: At;
  /** The actor: `user`, `broker`, or the `sub` of an admin's token. */
  readonly actor?: string;
  /** Of an actor who has an admin's token. */
  readonly role?: string;
  readonly user?: string;
  /** Stands in place of `user` where the user has been forgotten: the same for all events about this user. */
  readonly userKey?: string;
  /** The machine's id. */
  readonly machine?: string;
  readonly reason?: string;
  readonly sessionId?: string;
  readonly epoch?: number;
  readonly node?: string;
}

/** One event of this type. */
export type EventOf<Name extends EventName, At = string> = EventBase<At> & {
  readonly type: Name;
  readonly details: DetailsOf<Name>;
};

/** One event, by `type`. A newer broker may write types that are not in this union: pass them on, or ignore them. */
export type AuditEvent<At = string> = { [Name in EventName]: EventOf<Name, At> }[EventName];
