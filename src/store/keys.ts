import { slotOf, tagOf } from './slots.js';

const ORGS_REMEMBERED = 1000;

/** The keys of an org, in one hour, that all seats of it have in common. */
type SharedKeys = Readonly<
  Record<
    | 'hour'
    | 'epoch'
    | 'active'
    | 'licensed'
    | 'counters'
    | 'events'
    | 'acts'
    | 'refused'
    | 'settings'
    | 'used'
    | 'usage'
    | 'users'
    | 'reign'
    | 'held',
    string
  >
> &
  IndexKeys;

/** What the orgs of a server have in common; in a cluster, the orgs of a slot: lua/index.lua says what it is. */
export interface IndexKeys {
  /** org → when somebody must look at it next (Redis ms). */
  readonly due: string;
  /** Sums over the orgs. */
  readonly totals: string;
  /** org → the share of its quota that is issued. */
  readonly shares: string;
}

/** The one file that names Redis keys. All of an org shares one hash tag, so a script touches one slot. */
export class KeyNames {
  /** Made once for each org and hour, since every claim names them. */
  readonly #shared = new Map<string, SharedKeys>();

  constructor(
    private readonly prefix: string,
    /** In a cluster a script reaches one slot: what several orgs have in common is kept once for each slot. */
    private readonly isCluster = false,
  ) {}

  /** The version of the data, `major.minor`. */
  get schema(): string {
    return `${this.prefix}schema`;
  }
  /** Every org that ever claimed. */
  get orgs(): string {
    return `${this.prefix}orgs`;
  }
  /** The same orgs in the order of their names, for lists: all have the score 0. */
  get orgNames(): string {
    return `${this.prefix}org-names`;
  }
  /** In a cluster: the slots in which there are orgs. */
  get slots(): string {
    return `${this.prefix}slots`;
  }
  /** nodeId → last heartbeat. */
  get nodes(): string {
    return `${this.prefix}nodes`;
  }
  /** nodeId → what the node tells of itself, as JSON. */
  get nodeInfo(): string {
    return `${this.prefix}node-info`;
  }
  /** Whoever sets it sweeps this time. */
  get sweepTurn(): string {
    return `${this.prefix}sweep-turn`;
  }
  /** A node's inbox is this and its nodeId. */
  get channelPrefix(): string {
    return `${this.prefix}node:`;
  }
  lease(org: string, user: string): string {
    return this.#of(org, `lease:${user}`);
  }
  epoch(org: string): string {
    return this.#of(org, 'epoch');
  }
  /** The replication id under which the org's epochs run, and the first epoch given under it. */
  reign(org: string): string {
    return this.#of(org, 'reign');
  }
  active(org: string): string {
    return this.#of(org, 'active');
  }
  /** user → the lease, as long as the user is active: it tells whose lease it was that ran out. */
  held(org: string): string {
    return this.#of(org, 'held');
  }
  license(org: string, user: string): string {
    return this.#of(org, `license:${user}`);
  }
  licensed(org: string): string {
    return this.#of(org, 'licensed');
  }
  counters(org: string): string {
    return this.#of(org, 'counters');
  }
  /** What sessions did and what was refused (promise 14). */
  events(org: string): string {
    return this.#of(org, 'events');
  }
  /** What people and the system did to licenses, orgs and rules. */
  acts(org: string): string {
    return this.#of(org, 'acts');
  }
  /** user → the refusals of this minute that are no event yet. */
  refused(org: string): string {
    return this.#of(org, 'refused');
  }
  machines(org: string, user: string): string {
    return this.#of(org, `machines:${user}`);
  }
  /** machine id → first seen, how often, the machine as JSON. */
  machineNotes(org: string, user: string): string {
    return this.#of(org, `machine-notes:${user}`);
  }
  /** user → when the license was last used, or issued: what could be taken back. */
  used(org: string): string {
    return this.#of(org, 'used');
  }
  /** user → when the license ends (Unix ms). */
  expiring(org: string): string {
    return this.#of(org, 'expiring');
  }
  /** user → when the license was revoked. */
  revoked(org: string): string {
    return this.#of(org, 'revoked');
  }
  /** The counters of one hour, which is like `2026-11-25T10` in UTC. */
  usage(org: string, hour: string): string {
    return this.#of(org, `usage:${hour}`);
  }
  /** HyperLogLog of the users of one day, which is like `2026-11-25` in UTC. */
  users(org: string, day: string): string {
    return this.#of(org, `users:${day}`);
  }
  /** What bulk imports have begun and not ended: import id → since when. */
  imports(org: string): string {
    return this.#of(org, 'imports');
  }
  settings(org: string): string {
    return this.#of(org, 'settings');
  }
  /** The lowest rank that may still hold the user's seat. */
  fence(org: string, user: string): string {
    return this.#of(org, `fence:${user}`);
  }
  /** Takeovers of the user in the current minute. */
  takeovers(org: string, user: string): string {
    return this.#of(org, `takeovers:${user}`);
  }
  /** Claims of the user in the current minute. */
  claims(org: string, user: string): string {
    return this.#of(org, `claims:${user}`);
  }
  /** The answer to a claim, kept for a minute for its retry. */
  request(org: string, requestId: string): string {
    return this.#of(org, `request:${requestId}`);
  }

  /** The slot of the org's keys; null where there is but one index. */
  slotOf(org: string): number | null {
    return this.isCluster ? slotOf(this.#of(org, '')) : null;
  }
  /** The index that the org's scripts keep. */
  indexOf(org: string): IndexKeys {
    return this.indexAt(this.slotOf(org));
  }
  indexAt(slot: number | null): IndexKeys {
    const place = slot === null ? this.prefix : `${this.prefix}{${tagOf(slot)}}:`;
    return { due: `${place}due`, totals: `${place}totals`, shares: `${place}quota` };
  }

  /** The keys of a user's seat, in the order in which seat.lua names them. */
  seat(org: string, user: string, atMs: number): string[] {
    const shared = this.#sharedOf(org, hourOf(atMs));
    return [
      this.lease(org, user),
      shared.epoch,
      shared.active,
      this.license(org, user),
      shared.licensed,
      shared.counters,
      shared.events,
      this.machines(org, user),
      this.machineNotes(org, user),
      shared.settings,
      this.fence(org, user),
      this.takeovers(org, user),
      shared.used,
      shared.usage,
      shared.users,
      shared.reign,
      shared.held,
      shared.due,
      shared.totals,
      shared.shares,
      shared.acts,
      shared.refused,
    ];
  }
  /** What renew.lua needs beside the leases. */
  renewal(org: string): string[] {
    const { due } = this.indexOf(org);
    const own = [this.active(org), this.held(org), this.epoch(org), this.reign(org)];
    return [...own, this.events(org), this.acts(org), due];
  }
  /** What index.lua counts an org by, in the order in which sum.lua names them. */
  counted(org: string): string[] {
    return [this.counters(org), this.active(org), this.settings(org)];
  }
  /** The keys that license.lua names after those of the seat. */
  licenseChange(org: string, requestId: string): string[] {
    return [this.request(org, requestId), this.expiring(org), this.revoked(org)];
  }

  #sharedOf(org: string, hour: string): SharedKeys {
    const made = this.#shared.get(org);
    if (made?.hour === hour) return made;
    if (this.#shared.size >= ORGS_REMEMBERED) this.#shared.clear();
    const shared = {
      hour,
      epoch: this.epoch(org),
      active: this.active(org),
      licensed: this.licensed(org),
      counters: this.counters(org),
      events: this.events(org),
      acts: this.acts(org),
      refused: this.refused(org),
      settings: this.settings(org),
      used: this.used(org),
      usage: this.usage(org, hour),
      users: this.users(org, hour.slice(0, 10)),
      reign: this.reign(org),
      held: this.held(org),
      ...this.indexOf(org),
    };
    this.#shared.set(org, shared);
    return shared;
  }

  #of(org: string, name: string): string {
    return `${this.prefix}{${org}}:${name}`;
  }
}

let lastHour = { number: 0, text: '1970-01-01T00' };

/** The UTC hour of a time in Unix ms, like `2026-11-25T10`. Every claim asks: nearly always for the same one. */
export function hourOf(atMs: number): string {
  const number = Math.floor(atMs / 3_600_000);
  if (number !== lastHour.number) lastHour = { number, text: new Date(atMs).toISOString().slice(0, 13) };
  return lastHour.text;
}
