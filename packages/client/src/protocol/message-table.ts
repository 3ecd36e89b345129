import { type CloseReason, closeCodes } from './close-codes.js';

/**
 * The one table of messages and their fields. The types in `messages.ts`, what the broker reads and writes, and the tables of
 * PROTOCOL.md derive from it. The client library takes the types alone: its bundle has none of this.
 */

/**
 * What a field holds. `name`: 1 to 128 bytes that can be shown; an optional one that cannot be shown counts as left out.
 * `sessionId`: a UUIDv7; an object with another one counts as left out. `whole`: a number from 0 to 2^53 − 1. `digits`: the
 * same, or its digits as text; 0 where it cannot be read. `nonce`: 16 to 64 characters that can be shown; another counts as left out.
 */
interface Scalars {
  readonly text: string;
  readonly name: string;
  readonly nonce: string;
  readonly sessionId: string;
  readonly whole: number;
  readonly digits: number;
  readonly boolean: boolean;
}

export type Field = {
  readonly optional?: true;
  readonly nullable?: true;
  /** For PROTOCOL.md. */
  readonly unit?: string;
} & (
  | { readonly kind: keyof Scalars }
  | { readonly kind: 'object'; readonly fields: Fields }
  /** `others`: what the broker takes another value for. */
  | { readonly kind: 'choice'; readonly of: readonly string[]; readonly others: 'unsupported' | 'left out' }
);

export interface Fields {
  readonly [name: string]: Field;
}

export interface MessageSpec {
  /** For PROTOCOL.md. */
  readonly when: string;
  /** Whether it carries `elapsedMs`, as messages do that have a duration or may have one (promise 15). */
  readonly isTimed?: true;
  readonly fields: Fields;
}

const ownErrorCodes = ['bad_json', 'bad_message', 'unsupported', 'leave_not_allowed', 'on_leave'] as const;
/** Codes of `error` messages: a bad message, what is not to be had, or a claim that was refused (then the close reason). */
export type ErrorCode = (typeof ownErrorCodes)[number] | CloseReason;
const errorCodes: readonly ErrorCode[] = [...ownErrorCodes, ...closeCodes.map(({ reason }) => reason)];

const ms = { kind: 'whole', unit: 'ms' } as const;
const unixMs = { kind: 'whole', unit: 'Unix ms' } as const;
const epoch = { kind: 'whole' } as const;
const shownName = { kind: 'name', optional: true } as const;
/** The name alone: with the id of a machine one could pose as it. */
const namedMachine = { kind: 'object', fields: { name: shownName } } as const;

export const clientMessages = {
  hello: {
    when: 'first, once, within the hello timeout',
    fields: {
      machine: {
        kind: 'object',
        fields: {
          id: { kind: 'name' },
          name: shownName,
          os: shownName,
          kind: {
            kind: 'choice',
            of: ['physical', 'virtual', 'container'],
            others: 'left out',
            optional: true,
          },
        },
      },
      /** Names the running process: random, new at every start of it. */
      instance: { kind: 'name', optional: true },
      /** Grows with every `hello` of the instance, so that one that lay in a buffer is known as old. */
      attempt: { kind: 'whole', optional: true },
      onConflict: {
        kind: 'choice',
        of: ['takeover', 'deny', 'ask'],
        others: 'unsupported',
        optional: true,
      },
      /** Which session a reconnect means. The epoch decides nothing: above the current one, it shows that Redis lost a grant. */
      resume: {
        kind: 'object',
        fields: { sessionId: { kind: 'sessionId' }, epoch: { kind: 'digits' } },
        optional: true,
      },
      /** What can be read of it: a name or a version that cannot be shown is left out. */
      client: { kind: 'object', fields: { name: shownName, version: shownName }, optional: true },
      /** How long nobody has been at work. Only a session that told it is ended for being idle. */
      idleMs: { ...ms, optional: true },
      /** The program answers `takeover_requested`. */
      asks: { kind: 'boolean', optional: true },
      /** Comes back in a signed ticket, by which a program tells the broker from another. */
      nonce: { kind: 'nonce', optional: true },
      /** The ticket of the leave that this machine is on: proof of it where Redis lost it. */
      ticket: { kind: 'text', optional: true },
      /** Of any length here: the gate, which judges tokens, refuses one that is too long. */
      token: { kind: 'text', optional: true },
    },
  },
  takeover: {
    when: 'after `conflict`: the person chose "use here"; with `ifFree` it displaces nobody. The broker ignores a `takeover` that crosses the `welcome` of an ask',
    fields: { ifFree: { kind: 'boolean', optional: true } },
  },
  refresh: {
    when: 'before the token ends; its `sub` and `org` must be those of the connection',
    fields: { token: { kind: 'text' } },
  },
  activity: {
    when: 'the person was at work, `idleMs` ago; at most once in `idle.reportEveryMs`, and once more after `idle_warning`',
    fields: { idleMs: { ...ms, optional: true } },
  },
  leave: { when: 'take the seat along offline, for at most this long', fields: { forMs: ms } },
  release: { when: 'the program ends; the broker frees the seat, then closes with 1000', fields: {} },
  answer: {
    when: 'the answer of the holder to `takeover_requested`',
    fields: { yield: { kind: 'boolean' }, needMs: { ...ms, optional: true } },
  },
} as const satisfies Record<string, MessageSpec>;

export const serverMessages = {
  welcome: {
    when: 'the seat is granted',
    isTimed: true,
    fields: {
      sessionId: { kind: 'text', unit: 'UUIDv7' },
      epoch,
      resumed: { kind: 'boolean' },
      /** Time left on the lease as the node knows it. */
      ttlMs: ms,
      renewEveryMs: ms,
      license: {
        kind: 'object',
        fields: {
          id: { kind: 'text' },
          expiresAt: { ...unixMs, optional: true },
          /** Until when the license holds after its end. */
          graceEndsAt: { ...unixMs, optional: true },
          /** What the vendor calls it, such as `trial`. */
          kind: { kind: 'text', optional: true },
        },
        nullable: true,
      },
      displaced: { kind: 'object', fields: { machine: namedMachine }, optional: true },
      /** Other processes of the machine hold the session too. */
      shared: { kind: 'boolean', optional: true },
      /** There is an idle limit for this session. */
      idle: { kind: 'object', fields: { limitMs: ms, warnMs: ms, reportEveryMs: ms }, optional: true },
      /** A signed ticket that carries the `nonce` of the `hello`. */
      ticket: { kind: 'text', optional: true },
    },
  },
  lease: { when: 'at every confirmed renewal', isTimed: true, fields: { epoch, ttlMs: ms } },
  evicted: {
    when: 'the session was ended from outside; the close follows',
    fields: {
      reason: { kind: 'text' },
      by: { kind: 'object', fields: { machine: namedMachine }, optional: true },
      /** When it happened, by Redis's clock. */
      at: unixMs,
      /** The epoch that ended this session: the winner's, or the tombstone's. */
      epoch,
    },
  },
  conflict: {
    when: '`deny` or `ask`, and somebody else has the seat; the connection stays open for `takeover`',
    isTimed: true,
    fields: {
      holder: {
        kind: 'object',
        fields: {
          machine: namedMachine,
          /** By Redis's clock. */
          since: unixMs,
          /** Another process of this very machine. */
          sameMachine: { kind: 'boolean', optional: true },
          /** The holder took the seat along until then. */
          onLeaveUntil: { ...unixMs, optional: true },
        },
      },
      /** Whether the holder is being asked. */
      asking: { kind: 'boolean', optional: true },
      /** How long the holder has to answer. */
      waitMs: { ...ms, optional: true },
    },
  },
  seat_free: { when: 'to a connection that waits: the holder has left', fields: {} },
  takeover_requested: {
    when: 'somebody asks for the seat; no `answer` in time means yes',
    isTimed: true,
    fields: {
      by: { kind: 'object', fields: { machine: namedMachine } },
      answerWithinMs: ms,
    },
  },
  takeover_withdrawn: { when: 'nobody asks for the seat any more', fields: {} },
  ask_refused: { when: 'to a connection that waits: the holder said no', fields: {} },
  idle_warning: {
    when: 'nobody was at work for long; `activity` keeps the seat',
    isTimed: true,
    fields: { inMs: ms },
  },
  left: {
    when: 'the seat is taken along; the close with 1000 follows',
    isTimed: true,
    fields: { ticket: { kind: 'text' }, forMs: ms },
  },
  jeopardy: {
    when: 'Redis is out of reach; the session is kept for at most this long',
    isTimed: true,
    fields: { graceMs: ms },
  },
  recovered: { when: 'Redis confirmed the lease again', fields: {} },
  token_expiring: {
    when: 'the token ends in this time; send `refresh`',
    isTimed: true,
    fields: { inMs: ms },
  },
  draining: {
    when: 'the node is going away; the close with 1012 follows',
    isTimed: true,
    fields: { reconnectWithinMs: ms },
  },
  error: {
    when: 'a bad message, a message that is not supported, or a refused claim',
    isTimed: true,
    fields: {
      code: { kind: 'choice', of: errorCodes, others: 'left out' },
      message: { kind: 'text' },
      retryAfterMs: { ...ms, optional: true },
    },
  },
} as const satisfies Record<string, MessageSpec>;

/** A type with its parts put together, so that editors show it whole. */
type Whole<T> = { [K in keyof T]: T[K] } & {};

type ValueOf<F> = F extends { readonly kind: 'object'; readonly fields: infer Inner }
  ? ValuesOf<Inner>
  : F extends { readonly kind: 'choice'; readonly of: readonly (infer Choice)[] }
    ? Choice
    : F extends { readonly kind: keyof Scalars }
      ? Scalars[F['kind']]
      : never;
type OrNull<F> = F extends { readonly nullable: true } ? ValueOf<F> | null : ValueOf<F>;

/** The values of a message's fields, or of an object's. */
export type ValuesOf<Specs> = Whole<
  {
    readonly [K in keyof Specs as Specs[K] extends { readonly optional: true } ? never : K]: OrNull<Specs[K]>;
  } & {
    readonly [K in keyof Specs as Specs[K] extends { readonly optional: true } ? K : never]?: OrNull<
      Specs[K]
    >;
  }
>;
