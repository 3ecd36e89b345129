import { reachStore } from './errors.js';
import type { KeyNames } from './keys.js';
import type { Actor } from './license-types.js';
import type { Nodes } from './nodes.js';
import type { RedisConnection } from './redis.js';
import type { SeatScripts } from './seat-scripts.js';
import type { Spellings } from './spellings.js';

/** Which tokens are to be refused: one by its id, or all of a user that were issued up to a moment. */
export type RevokedTokens =
  | { readonly tokenId: string; readonly user?: string }
  | { readonly user: string /** Now, where it is left out. */; readonly beforeMs?: number };

export type RevocationOrder = RevokedTokens & {
  readonly org: string;
  readonly actor: Actor;
  readonly note?: string;
};

export type RevocationAnswer =
  | { readonly outcome: 'done'; readonly endedSessionId: string | null }
  /** The moment has not come yet. */
  | { readonly outcome: 'refused'; readonly reason: 'in_the_future' };

/** One revocation that is remembered. */
export type Revocation = { readonly at: number } & ({ readonly user: string } | { readonly tokenId: string });

export interface RevocationsParts {
  readonly redis: RedisConnection;
  readonly seats: SeatScripts;
  readonly spellings: Spellings;
  readonly nodes: Nodes;
  readonly keys: KeyNames;
  readonly config: { readonly tokenLifeMs: number };
}

/** Tokens that are refused before their end. Rejects with StoreUnavailable or StoreDefect. */
export class Revocations {
  constructor(private readonly parts: RevocationsParts) {}

  /**
   * Refuses the tokens from now on, and ends the session under one of them: of a user at once; where only the token is
   * known, each node looks its sessions up, now or, where the message got lost, at their next renewal.
   */
  async revoke(order: RevocationOrder): Promise<RevocationAnswer> {
    const { seats, spellings, config } = this.parts;
    const { org, actor, note } = order;
    const user = order.user === undefined ? '' : await spellings.kept(org, order.user);
    const tokens =
      'tokenId' in order
        ? { jti: order.tokenId }
        : order.beforeMs !== undefined && { before: String(order.beforeMs) };
    const argument = { ...tokens, actor, note, tokenLifeMs: config.tokenLifeMs };
    const reply = await reachStore(() =>
      seats.ask<{ outcome: 'done'; ended?: string } | { outcome: 'refused'; reason: 'in_the_future' }>(
        'revocation',
        { org, user },
        argument,
      ),
    );
    if (reply.outcome === 'refused') return { outcome: 'refused', reason: reply.reason };
    if (reply.ended === undefined) await this.#haveVerified(org);
    return { outcome: 'done', endedSessionId: reply.ended ?? null };
  }

  /** Those that are remembered, the latest moment first; at most so many of each kind. */
  async list(org: string, limit: number): Promise<Revocation[]> {
    const { redis, keys } = this.parts;
    const [users, tokens] = await reachStore(() =>
      Promise.all(
        [keys.usersRevoked(org), keys.tokensRevoked(org)].map((key) =>
          redis.zrevrange(key, 0, limit - 1, 'WITHSCORES'),
        ),
      ),
    );
    const found: Revocation[] = [
      ...pairs(users).map(([user, at]) => ({ user, at })),
      ...pairs(tokens).map(([tokenId, at]) => ({ tokenId, at })),
    ];
    return found.sort((one, other) => other.at - one.at);
  }

  async #haveVerified(org: string): Promise<void> {
    const { redis, keys, nodes } = this.parts;
    const message = JSON.stringify({ type: 'verify', org });
    await reachStore(async () => {
      const live = (await nodes.list()).filter(({ isLive }) => isLive);
      await Promise.all(live.map(({ nodeId }) => redis.publish(keys.channelPrefix + nodeId, message)));
    });
  }
}

function pairs(flat: readonly string[] = []): [string, number][] {
  return flat.flatMap((member, index) => (index % 2 === 0 ? [[member, Number(flat[index + 1])]] : []));
}
