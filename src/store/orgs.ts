import { enterOrgs } from './directory.js';
import { reachStore } from './errors.js';
import type { KeyNames } from './keys.js';
import type { Ledger, Tally } from './ledger.js';
import type { Actor } from './license-types.js';
import type { RedisConnection } from './redis.js';
import { readReply } from './replies.js';
import type { Scripts } from './scripts.js';

export const licenseModes = ['required', 'auto', 'open'] as const;
export type LicenseMode = (typeof licenseModes)[number];
export type MachineRule = 'allow' | 'deny';

/** What an org has of its own; null: as the node's settings say, or no limit. */
export interface OrgSettings {
  /** How many licenses may be issued. */
  readonly quota: number | null;
  readonly licenseMode: LicenseMode | null;
  /** Whether machines of kind container come in. */
  readonly containers: MachineRule | null;
  /** `listed`: only machines on the allow list come in. */
  readonly machines: 'any' | 'listed' | null;
  /** `keep`: leases and history tell from which address a session came. */
  readonly addresses: 'keep' | null;
  /** The IANA time zone that a day is of; null: UTC. */
  readonly timeZone: string | null;
  /** `ignore`: names that differ in case only are one user. */
  readonly letterCase: 'ignore' | null;
  /** How many users may have a seat at once. */
  readonly maxActive: number | null;
  /** By how many per cent more, which is counted and told. */
  readonly maxActiveOverdraft: number | null;
  /** The least version of each program, by its name. */
  readonly minVersion: Readonly<Record<string, string>> | null;
  /** From when on older versions are refused (Unix ms); until then an event tells of them. Null: at once. */
  readonly minVersionFrom: number | null;
  /** For how long nobody may be at work before a session ends. */
  readonly idleLimitMs: number | null;
  /** How long a holder who is asked for the seat may think; null: 15 s. */
  readonly askWaitMs: number | null;
  /** `final`: after a no the seat cannot be taken over for a minute. */
  readonly askRefusal: 'final' | null;
  /** For how long a seat may be taken along offline; null: it may not. */
  readonly leaveMaxMs: number | null;
  /** `bound`: whoever comes back early from a leave keeps other machines out until the ticket's end; null: they are trusted. */
  readonly leaveReturn: 'bound' | null;
  /** `share`: programs of one user on one machine hold one session together; null: a newer one takes the older one's place. */
  readonly sameMachine: 'share' | null;
}

/** Reads each setting as Redis keeps it. */
const readSetting: { readonly [N in keyof OrgSettings]: (text: string) => unknown } = {
  quota: Number,
  licenseMode: String,
  containers: String,
  machines: String,
  addresses: String,
  timeZone: String,
  letterCase: String,
  maxActive: Number,
  maxActiveOverdraft: Number,
  minVersion: (text) => JSON.parse(text),
  minVersionFrom: Number,
  idleLimitMs: Number,
  askWaitMs: Number,
  askRefusal: String,
  leaveMaxMs: Number,
  leaveReturn: String,
  sameMachine: String,
};

/** How things stand with an org; all of it kept by the scripts that change it (promise 9). */
export interface OrgCounts {
  readonly issued: number;
  /** null: there is none. */
  readonly quota: number | null;
  /** What is left of the quota; null: there is none. */
  readonly available: number | null;
  /** Places in the quota that tickets keep: of users who were on leave when their licenses were revoked. */
  readonly kept: number;
  readonly suspended: number;
  readonly expired: number;
  readonly revoked: number;
  readonly active: number;
  /** Most sessions at once, ever, and when (Unix ms). */
  readonly peak: number;
  readonly peakAt: number | null;
  readonly granted: number;
  readonly resumed: number;
  readonly reasserted: number;
  readonly takeovers: number;
  /** Ended sessions by reason. */
  readonly ended: Readonly<Record<string, number>>;
  /** Refused claims by reason. */
  readonly denied: Readonly<Record<string, number>>;
  /** Time in use of all seats together. */
  readonly seatMs: number;
  /** Seats granted beyond `maxActive`, as the overdraft allows. */
  readonly overdrawn: number;
}

export type SettingsAnswer =
  | { readonly outcome: 'done' }
  | { readonly outcome: 'refused'; readonly reason: 'quota_below_issued'; readonly issued: number };

export interface OrgsParts {
  readonly redis: RedisConnection;
  readonly scripts: Scripts;
  readonly ledger: Ledger;
  readonly keys: KeyNames;
}

const MACHINE_RULE = 'machine:';

/** Orgs: their settings and how they stand. Rejects with StoreUnavailable or StoreDefect. */
export class Orgs {
  constructor(private readonly parts: OrgsParts) {}

  /** So many orgs in the order of their names, after this name. */
  async namesAfter(name: string, limit: number): Promise<string[]> {
    const { redis, keys } = this.parts;
    const from = name === '' ? '-' : `(${name}`;
    return reachStore(() => redis.zrangebylex(keys.orgNames, from, '+', 'LIMIT', 0, limit));
  }

  /** How many there are. */
  async number(): Promise<number> {
    const { redis, keys } = this.parts;
    return reachStore(() => redis.scard(keys.orgs));
  }

  async exists(org: string): Promise<boolean> {
    const { redis, keys } = this.parts;
    return (await reachStore(() => redis.sismember(keys.orgs, org))) === 1;
  }

  /** Lets the org exist, as it does from its first claim or setting on. */
  async enter(org: string): Promise<void> {
    const { redis, keys } = this.parts;
    await reachStore(() => enterOrgs(redis, keys, [org]));
  }

  async settings(org: string): Promise<OrgSettings> {
    const { redis, keys } = this.parts;
    const names = Object.keys(readSetting) as (keyof OrgSettings)[];
    const texts = await reachStore(() => redis.hmget(keys.settings(org), ...names));
    const values = names.map((name, index) => {
      const text = texts[index] ?? null;
      return [name, text === null ? null : readSetting[name](text)] as const;
    });
    // The same table names the fields and reads them.
    return Object.fromEntries(values) as unknown as OrgSettings;
  }

  /** Since when the org has been suspended (Unix ms); null: it is not. */
  async suspendedAt(org: string): Promise<number | null> {
    const { redis, keys } = this.parts;
    const since = await reachStore(() => redis.hget(keys.settings(org), 'suspended'));
    return since === null ? null : Number(since);
  }

  /**
   * Keeps all of the org out, or lets it in again: `sessions` are to end, which the sweep does. Null where it is so already.
   */
  async suspend(order: {
    readonly org: string;
    readonly on: boolean;
    readonly actor: Actor;
    readonly note?: string;
  }): Promise<{ readonly sessions: number } | null> {
    const { redis, scripts, keys } = this.parts;
    return reachStore(async () => {
      const reply = await scripts.run('suspension', { org: order.org }, [JSON.stringify(order)]);
      const answer = readReply<{ outcome: 'done'; sessions: number } | { outcome: 'refused' }>(reply);
      if (answer.outcome === 'refused') return null;
      await enterOrgs(redis, keys, [order.org]);
      return { sessions: answer.sessions };
    });
  }

  /** The time zone that a day of the org is of. */
  async timeZone(org: string): Promise<string> {
    const { redis, keys } = this.parts;
    return (await reachStore(() => redis.hget(keys.settings(org), 'timeZone'))) ?? 'UTC';
  }

  /** Changes what is named; null takes a setting of the org's own away. A new org begins to exist with it. */
  async change(org: string, changes: Partial<OrgSettings>, actor: Actor): Promise<SettingsAnswer> {
    const entries = Object.entries(changes).filter(([, value]) => value !== undefined);
    const set = Object.fromEntries(
      entries
        .filter(([, value]) => value !== null)
        .map(([name, value]) => [name, typeof value === 'object' ? JSON.stringify(value) : String(value)]),
    );
    const unset = entries.filter(([, value]) => value === null).map(([name]) => name);
    return this.#apply(org, set, unset, actor);
  }

  /** The machines that the org allows or denies by name. */
  async machineRules(org: string): Promise<Readonly<Record<string, MachineRule>>> {
    const { redis, keys } = this.parts;
    const fields = await reachStore(() => redis.hgetall(keys.settings(org)));
    const rules = Object.entries(fields).filter(([name]) => name.startsWith(MACHINE_RULE));
    return Object.fromEntries(
      rules.map(([name, rule]) => [name.slice(MACHINE_RULE.length), rule as MachineRule]),
    );
  }

  /** Puts a machine on the allow or the deny list; null takes it off. A session that is running goes on. */
  async setMachineRule(
    org: string,
    machineId: string,
    rule: MachineRule | null,
    actor: Actor,
  ): Promise<void> {
    const name = MACHINE_RULE + machineId;
    await this.#apply(org, rule === null ? {} : { [name]: rule }, rule === null ? [name] : [], actor);
  }

  async counts(org: string): Promise<OrgCounts> {
    return countsFrom(await this.parts.ledger.tally(org));
  }

  async #apply(
    org: string,
    set: Readonly<Record<string, string>>,
    unset: readonly string[],
    actor: Actor,
  ): Promise<SettingsAnswer> {
    const { redis, scripts, keys } = this.parts;
    const argument = JSON.stringify({ org, set, unset, actor });
    return reachStore(async () => {
      const answer = readReply<SettingsAnswer>(await scripts.run('settings', { org }, [argument]));
      if (answer.outcome === 'done') await enterOrgs(redis, keys, [org]);
      return answer;
    });
  }
}

function countsFrom(tally: Tally): OrgCounts {
  const { counters, active, quota, kept, nowMs } = tally;
  const count = (name: string) => counters[name] ?? 0;
  const withPrefix = (prefix: string) =>
    Object.fromEntries(
      Object.entries(counters)
        .filter(([name]) => name.startsWith(prefix))
        .map(([name, number]) => [name.slice(prefix.length), number]),
    );
  const issued = count('issued');
  const sinceMs = Math.max(0, nowMs - (counters.seatAt ?? nowMs));
  return {
    issued,
    quota,
    available: quota === null ? null : Math.max(0, quota - issued - kept),
    kept,
    suspended: count('suspended'),
    expired: count('expired'),
    revoked: tally.revoked,
    active,
    peak: count('peak'),
    peakAt: counters.peakAt ?? null,
    granted: count('granted'),
    resumed: count('resumed'),
    reasserted: count('reasserted'),
    takeovers: count('ended:taken_over'),
    ended: withPrefix('ended:'),
    denied: withPrefix('denied:'),
    seatMs: count('seatMs') + active * sinceMs,
    overdrawn: count('overdrawn'),
  };
}
