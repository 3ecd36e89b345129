import { caseFolded, foldedName } from '../protocol/text.js';
import { reachStore, StoreDefect } from './errors.js';
import type { KeyNames } from './keys.js';
import { type LicenseFields, licenseOf, termsAsText } from './license-fields.js';
import type {
  IssueOrder,
  License,
  LicenseAnswer,
  LicenseOrder,
  LicenseRefusal,
  LicenseStatus,
  LicenseTerms,
  Page,
} from './license-types.js';
import { cursorBehind, type Place, pageByScore, type Stretch } from './paging.js';
import type { RedisConnection } from './redis.js';
import type { ScriptName, Scripts } from './scripts.js';
import type { SeatScripts } from './seat-scripts.js';
import type { Spellings } from './spellings.js';

/** Longer than issue.lua keeps its answers. */
const PRINT_KEPT_MS = 86_400_000 + 60_000;
/** A page ends after so many looked at, found or not; so many at a time at least. */
const LOOK_LIMIT = 5_000;
const LOOK_AT_ONCE = 200;

export interface LicensesParts {
  readonly redis: RedisConnection;
  readonly scripts: Scripts;
  readonly seats: SeatScripts;
  readonly spellings: Spellings;
  readonly keys: KeyNames;
}

/** A license, and where it stands in the list that it was read from. */
interface Listed {
  readonly license: License;
  readonly place: Place;
}
type LicenseReply =
  | { readonly outcome: 'spelled'; readonly user: string }
  | { readonly outcome: 'done'; readonly license: LicenseFields; readonly ended?: string }
  | {
      readonly outcome: 'refused';
      readonly reason: LicenseRefusal;
      readonly status?: LicenseStatus;
      readonly leaveUntil?: string;
    };

/** The life of a license: each change is one atomic script (promise 9). Rejects with StoreUnavailable or StoreDefect. */
export class Licenses {
  constructor(private readonly parts: LicensesParts) {}

  /** Gives the user a license, unless there is one or the quota is used up. */
  async issue(order: IssueOrder): Promise<LicenseAnswer> {
    const { id, expiresAt, expiresOn, importId, requestId, terms = {} } = order;
    const more = { id, expiresAt: textOf(expiresAt), expiresOn, import: importId, ...termsAsText(terms) };
    return this.#spelled(order.user, (user) => {
      const argument = { ...more, folded: foldedOrNone(user) };
      return { run: this.#run('issue', { ...order, user }, argument, requestId), owner: user };
    });
  }

  /** Takes the right away for a while; a live session ends with 4511. */
  suspend(order: LicenseOrder): Promise<LicenseAnswer> {
    return this.#change('suspend', order);
  }

  /** Gives a suspended license its right back. */
  reinstate(order: LicenseOrder): Promise<LicenseAnswer> {
    return this.#change('reinstate', order);
  }

  /** Writes another note to the license; an empty one takes it away. */
  annotate(order: LicenseOrder & { readonly note: string }): Promise<LicenseAnswer> {
    return this.#change('annotate', order);
  }

  /** Sets (Unix ms) or clears (null) when the license ends; in the past ends a live session with 4512. */
  setExpiry(
    order: LicenseOrder & { readonly expiresAt: number | null; readonly expiresOn?: string },
  ): Promise<LicenseAnswer> {
    const { expiresAt, expiresOn } = order;
    return this.#change('expiry', order, { expiresAt: textOf(expiresAt ?? undefined), expiresOn });
  }

  /** Changes what goes along with the license. A session that runs goes on. */
  setTerms(order: LicenseOrder & { readonly terms: LicenseTerms }): Promise<LicenseAnswer> {
    return this.#change('terms', order, termsAsText(order.terms));
  }

  /** Moves the license to a user who has none; the former user's session ends with 4511. */
  async transfer(order: LicenseOrder & { readonly to: string }): Promise<LicenseAnswer> {
    return this.#spelled(order.to, (to) => {
      const target = [this.parts.keys.license(order.org, to)];
      const run = this.#run('transfer', order, { to, folded: foldedOrNone(to) }, 'none', target);
      return { run, owner: to };
    });
  }

  /** Takes the license back and frees its place in the quota; a live session ends with 4511. */
  revoke(order: LicenseOrder): Promise<LicenseAnswer> {
    return this.#change('revoke', order);
  }

  /** Takes back what a failed import issued. False where the license is not of that import. */
  async unissue(order: LicenseOrder & { readonly importId: string }): Promise<boolean> {
    const reply = await this.#run('unissue', { ...order, forced: true }, { import: order.importId });
    return reply.outcome === 'done';
  }

  /** The user's license, also a revoked one. */
  async get(org: string, user: string): Promise<License | null> {
    return (await this.#read(org, [user]))[0] ?? null;
  }

  /** Which of the users have a license, a revoked one aside. */
  async issuedAmong(org: string, users: readonly string[]): Promise<readonly boolean[]> {
    const { redis, keys } = this.parts;
    if (users.length === 0) return [];
    const scores = await reachStore(() => redis.zmscore(keys.licensed(org), ...users));
    return scores.map((score) => score !== null);
  }

  /** A user with a license whose name is this one but for case and form: whoever issued it may have meant the same person. */
  async lookAlike(org: string, user: string): Promise<string | null> {
    return (await this.lookAlikes(org, [user]))[0] ?? null;
  }

  /** The same for each of these users, in two questions to Redis. */
  async lookAlikes(org: string, users: readonly string[]): Promise<readonly (string | null)[]> {
    const folded = users.map((user) => [...new Set([caseFolded(user), foldedName(user)])]);
    const noted = splitAs(folded, await this.parts.spellings.known(org, folded.flat()));
    // Version 0.1 noted no spellings: most names are in small letters.
    const others = folded.map((names, index) => {
      const known = [...(noted[index] ?? []), ...names].filter((name) => name !== null);
      return [...new Set(known)].filter((name) => name !== users[index]);
    });
    const issued = splitAs(others, await this.issuedAmong(org, others.flat()));
    return others.map((names, index) => names.find((_, at) => issued[index]?.[at]) ?? null);
  }

  /**
   * Whether a request id stands for the request of this print, as it does from its last use on for a day: the answer
   * may be of that one. Two requests must not share an id: the second would get the first one's answer.
   */
  async isSameRequest(org: string, requestId: string, print: string): Promise<boolean> {
    const { redis, keys } = this.parts;
    const key = keys.request(org, `${requestId}-print`);
    return reachStore(async () => {
      if ((await redis.set(key, print, 'PX', PRINT_KEPT_MS, 'NX')) !== null) return true;
      if ((await redis.get(key)) !== print) return false;
      await redis.pexpire(key, PRINT_KEPT_MS);
      return true;
    });
  }

  /** Issued licenses in the order of their issue, or the revoked ones in that of their end; or the other way round. */
  async page(
    org: string,
    of: { readonly revoked: boolean; readonly newestFirst?: boolean },
    cursor: string | null,
    limit: number,
  ): Promise<Page<License>> {
    const { keys } = this.parts;
    const index = of.revoked ? keys.revoked(org) : keys.licensed(org);
    const isBackward = of.newestFirst === true;
    return licensesOn(await this.#pageOf(org, index, { cursor, limit, isBackward }));
  }

  /** Licenses of one status. A page may be shorter than asked for, also empty, while `next` goes on. */
  async pageWithStatus(
    org: string,
    { status, newestFirst = false }: { readonly status: LicenseStatus; readonly newestFirst?: boolean },
    cursor: string | null,
    limit: number,
  ): Promise<Page<License>> {
    if (status === 'revoked') return this.page(org, { revoked: true, newestFirst }, cursor, limit);
    const index = this.parts.keys.licensed(org);
    const atOnce = Math.max(limit, LOOK_AT_ONCE);
    let found: Listed[] = [];
    let next = cursor;
    for (let looked = 0; looked < LOOK_LIMIT; looked += atOnce) {
      const page = await this.#pageOf(org, index, { cursor: next, limit: atOnce, isBackward: newestFirst });
      found.push(...page.items.filter(({ license }) => license.status === status));
      next = page.next;
      const last = found[limit - 1];
      if (found.length > limit && last) {
        found = found.slice(0, limit);
        next = cursorBehind(last.place);
      }
      if (next === null || found.length === limit) break;
    }
    return licensesOn({ items: found, next });
  }

  /** Licenses last used before a time (Unix ms), the longest unused first. Those in use now are left out. */
  async unused(org: string, beforeMs: number, cursor: string | null, limit: number): Promise<Page<License>> {
    const { keys, redis } = this.parts;
    const listed = await this.#pageOf(org, keys.used(org), { cursor, limit, untilScore: beforeMs });
    const page = licensesOn(listed);
    if (page.items.length === 0) return page;
    const users = page.items.map((license) => license.user);
    const active = await reachStore(() => redis.zmscore(keys.active(org), ...users));
    return { ...page, items: page.items.filter((_, index) => active[index] === null) };
  }

  async #pageOf(org: string, index: string, stretch: Stretch): Promise<Page<Listed>> {
    return reachStore(async () => {
      const { items: places, next } = await pageByScore(this.parts.scripts, { org, key: index }, stretch);
      const licenses = await this.#read(
        org,
        places.map(({ member }) => member),
      );
      // A license may have gone between the two reads.
      const items = places.flatMap((place, i) => {
        const license = licenses[i] ?? null;
        return license === null ? [] : [{ license, place }];
      });
      return { items, next };
    });
  }

  async #read(org: string, users: readonly string[]): Promise<(License | null)[]> {
    const { keys, redis } = this.parts;
    if (users.length === 0) return [];
    return reachStore(async () => {
      const records = Promise.all(users.map((user) => redis.hgetall(keys.license(org, user))));
      const used = redis.zmscore(keys.used(org), ...users);
      const [fields, scores] = await Promise.all([records, used]);
      return users.map((user, index) => licenseOf(user, fields[index] ?? {}, Number(scores[index] ?? 0)));
    });
  }

  async #change(name: ScriptName, order: LicenseOrder, more: object = {}): Promise<LicenseAnswer> {
    return this.#spelled(order.user, () => ({ run: this.#run(name, order, more), owner: order.user }));
  }

  /** Asks once more where the user is known by another spelling. */
  async #spelled(
    user: string,
    ask: (user: string) => { readonly run: Promise<LicenseReply>; readonly owner: string },
  ): Promise<LicenseAnswer> {
    const { run, owner } = ask(user);
    const reply = await run;
    if (reply.outcome === 'spelled') return this.#spelled(reply.user, ask);
    if (reply.outcome === 'refused') {
      const { reason, status = null, leaveUntil } = reply;
      return { outcome: 'refused', reason, status, ...(leaveUntil && { leaveUntilMs: Number(leaveUntil) }) };
    }
    const license = licenseOf(owner, reply.license, 0);
    if (license === null) throw new StoreDefect(new Error('a license script answered out of form'));
    return { outcome: 'done', license, endedSessionId: reply.ended ?? null };
  }

  async #run(
    name: ScriptName,
    order: LicenseOrder,
    more: object,
    requestId = 'none',
    moreKeys: readonly string[] = [],
  ): Promise<LicenseReply> {
    const { org, user, actor, note, forced } = order;
    const seat = { org, user, request: requestId };
    const argument = { actor, note, ...(forced && { forced }), ...more };
    return reachStore(() => this.parts.seats.ask<LicenseReply>(name, seat, argument, moreKeys));
  }
}

function licensesOn({ items, next }: Page<Listed>): Page<License> {
  return { items: items.map(({ license }) => license), next };
}

/** The name without case, where it is another. */
function foldedOrNone(name: string): string | undefined {
  const folded = caseFolded(name);
  return folded === name ? undefined : folded;
}

function textOf(ms: number | undefined): string | undefined {
  return ms === undefined ? undefined : String(ms);
}

/** The answers to a list of lists, in lists as long as those. */
function splitAs<T>(lists: readonly (readonly unknown[])[], answers: readonly T[]): T[][] {
  let at = 0;
  return lists.map(({ length }) => {
    at += length;
    return answers.slice(at - length, at);
  });
}
