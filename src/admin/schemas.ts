import { Type } from 'typebox';
import Format from 'typebox/format';
import { isDay, readTime } from '../base/rfc3339.js';
import { isOrgName, isPlainText } from '../protocol/text.js';
import { licenseStatuses } from '../store/license-types.js';

const MAX_TEXT_BYTES = 256;

Format.Set('date-time', (text) => readTime(text) !== null);
Format.Set('time-or-day', (text) => readTime(text) !== null || isDay(text));
Format.Set('plain-text', isPlainText);
Format.Set('org-name', isOrgName);

type Options = { readonly description?: string; readonly [more: string]: unknown };

export const text = (description: string) =>
  Type.String({ format: 'plain-text', minLength: 1, maxLength: MAX_TEXT_BYTES, description });
export const orgName = (description: string) =>
  Type.String({ format: 'org-name', minLength: 1, maxLength: MAX_TEXT_BYTES, description });
export const time = (description: string) => Type.String({ format: 'date-time', description });
/** A time, or a day: the last full one, in the org's time zone. */
export const end = (description: string) =>
  Type.String({
    maxLength: 40,
    description: `${description} A time as in RFC 3339, or a day like 2027-01-31: the last full one in the org’s time zone.`,
  });
/** A moment to begin at: a day stands for its first one. */
export const from = (description: string) =>
  Type.String({
    format: 'time-or-day',
    description: `${description} A time as in RFC 3339, or a day like 2027-01-31: its first moment in the org’s time zone.`,
  });
/** A moment to end before: a day stands for its last one. */
export const until = (description: string) =>
  Type.String({
    format: 'time-or-day',
    description: `${description} A time as in RFC 3339, or a day like 2027-01-31, which is the last full one in the org’s time zone.`,
  });
export const nullable = <T extends Type.TSchema>(schema: T) => Type.Union([schema, Type.Null()]);
export const count = (description: string) =>
  Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER, description });
export const object = <P extends Type.TProperties>(properties: P, options: Options = {}) =>
  Type.Object(properties, { additionalProperties: false, ...options });

export const paging = {
  limit: Type.Optional(
    Type.Integer({ minimum: 1, maximum: 500, default: 50, description: 'Items of a page at most.' }),
  ),
  cursor: Type.Optional(
    Type.String({ minLength: 1, maxLength: 8192, description: '`next` of the page before.' }),
  ),
};
export const DEFAULT_LIMIT = 50;

export const pageOf = <T extends Type.TSchema, P extends Type.TProperties = Record<never, never>>(
  items: T,
  more?: P,
) =>
  object({
    ...(more ?? ({} as P)),
    items: Type.Array(items),
    next: nullable(Type.String({ description: 'The `cursor` of the next page; null: this is the last.' })),
  });

/** What may go along with a license. */
export const licenseTerms = {
  kind: Type.Optional(nullable(text('What the vendor calls it, as `trial`; null: nothing.'))),
  startsAt: Type.Optional(
    nullable(from('When it begins; before that nobody gets a seat by it. null: at once.')),
  ),
  graceDays: Type.Optional(
    nullable(
      Type.Integer({ minimum: 0, maximum: 3650, description: 'For how many days after its end it holds.' }),
    ),
  ),
  idleExempt: Type.Optional(Type.Boolean({ description: 'Whether no idle limit holds for it.' })),
};

/** For what would end a leave: the machine holds a ticket, and cannot be told. */
export const forced = Type.Optional(
  Type.Boolean({ description: 'Also where the user is on leave; else the answer is 409 `on_leave`.' }),
);

export const note = Type.Optional(text('Why, for the audit trail.'));

export const licenseSchema = object(
  {
    user: text('Whose license it is.'),
    id: Type.String(),
    status: Type.Enum([...licenseStatuses]),
    issuedAt: time('When it was issued.'),
    expiresAt: nullable(time('When it ends; null: never.')),
    expiresOn: nullable(
      Type.String({ description: 'The last full day, where the end was given so, as `2027-01-31`.' }),
    ),
    kind: nullable(Type.String({ description: 'What the vendor calls it, as `trial`; for reports.' })),
    startsAt: nullable(time('When it begins; null: it has begun with its issue.')),
    graceDays: count('For how many days after its end it holds.'),
    idleExempt: Type.Boolean({ description: 'No idle limit of the org holds for it.' }),
    note: nullable(Type.String()),
    lastUsedAt: nullable(time('When a session was last granted or ended; null: not since it was issued.')),
  },
  { description: 'The right of one user to one active session.' },
);

export const problemSchema = Type.Object(
  {
    status: Type.Integer(),
    code: Type.String({ description: 'For programs; it stays when the words change.' }),
    title: Type.String({ description: 'For people.' }),
    fields: Type.Optional(Type.Array(object({ field: Type.String(), problem: Type.String() }))),
    lines: Type.Optional(Type.Array(object({ line: Type.Integer(), problem: Type.String() }))),
    missing: Type.Optional(
      Type.String({ description: 'Of a 404: which part of the path names nothing, as `org` or `license`.' }),
    ),
    cause: Type.Optional(
      Type.String({ description: 'Why Redis is of no use at present: as in soleseat_redis_down_cause.' }),
    ),
  },
  { description: 'An error, as RFC 9457 has it.' },
);

/** Unix ms as RFC 3339. */
export function timeText(ms: number): string {
  return new Date(ms).toISOString();
}

export function timeTextOrNull(ms: number | null): string | null {
  return ms === null ? null : timeText(ms);
}

export const timeOrNull = (description: string) => nullable(time(description));

export const machineFields = {
  id: Type.String(),
  name: Type.Optional(Type.String()),
  os: Type.Optional(Type.String()),
  kind: Type.Optional(Type.Enum(['physical', 'virtual', 'container'])),
};
