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
}

/** How things stand with an org; all of it kept by the scripts that change it (promise 9). */
export interface OrgCounts {
  readonly issued: number;
  /** null: there is no quota. */
  readonly available: number | null;
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
    const [quota, licenseMode, containers, machines, addresses, timeZone, letterCase] = await reachStore(() =>
      redis.hmget(
        keys.settings(org),
        'quota',
        'licenseMode',
        'containers',
        'machines',
        'addresses',
        'timeZone',
        'letterCase',
      ),
    );
    return {
      quota: quota == null ? null : Number(quota),
      licenseMode: (licenseMode ?? null) as LicenseMode | null,
      containers: (containers ?? null) as MachineRule | null,
      machines: (machines ?? null) as OrgSettings['machines'],
      addresses: (addresses ?? null) as OrgSettings['addresses'],
      timeZone: timeZone ?? null,
      letterCase: (letterCase ?? null) as OrgSettings['letterCase'],
    };
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
      entries.filter(([, value]) => value !== null).map(([k, v]) => [k, String(v)]),
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
  const { counters, active, quota, nowMs } = tally;
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
    available: quota === null ? null : Math.max(0, quota - issued),
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
  };
}
