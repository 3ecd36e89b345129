import { type Backoff, fullJitter } from './backoff.js';
import type { TokenNeed } from './options.js';

/** However short its tokens are, a client asks for no more of them than this. */
const PAUSE_MS = 5_000;

type RefreshNeed = Extract<TokenNeed, 'token_expiring' | 'token_not_yet_accepted'>;

export interface TokenRefreshParts {
  /** An Error where there is no token to be had. */
  readonly fetch: (need: RefreshNeed) => Promise<string | Error>;
  readonly send: (token: string) => void;
  readonly backoff: Backoff;
  readonly random: () => number;
}

/** Gives the broker a new token on the open connection, however often it takes to get one. */
export class TokenRefresh {
  private timer: ReturnType<typeof setTimeout> | undefined;
  private isUnderWay = false;
  private notBeforeMs = 0;
  private need: RefreshNeed = 'token_expiring';
  /** Grows with every stop; a token that was asked for under an older number is stale. */
  private round = 0;

  constructor(private readonly parts: TokenRefreshParts) {}

  /** A refresh that waits or is under way serves later warnings too. */
  begin(): void {
    if (this.isUnderWay) return;
    this.isUnderWay = true;
    this.need = 'token_expiring';
    this.attempt(0, Math.max(0, this.notBeforeMs - performance.now()));
  }

  /** The token that was sent is not accepted yet. The wait is added to: many may have been told the same one. */
  again(inMs: number): void {
    if (this.isUnderWay) return;
    this.isUnderWay = true;
    this.need = 'token_not_yet_accepted';
    this.attempt(0, inMs + fullJitter(0, this.parts.backoff, this.parts.random));
  }

  /** The connection is over. */
  stop(): void {
    this.round++;
    this.isUnderWay = false;
    clearTimeout(this.timer);
  }

  private attempt(tries: number, inMs: number): void {
    this.timer = setTimeout(() => void this.fetchAndSend(tries), inMs);
  }

  private async fetchAndSend(tries: number): Promise<void> {
    const { fetch, send, backoff, random } = this.parts;
    const { round } = this;
    const token = await fetch(this.need);
    if (round !== this.round) return;
    if (typeof token !== 'string') {
      this.attempt(tries + 1, fullJitter(tries, backoff, random));
      return;
    }
    this.isUnderWay = false;
    this.notBeforeMs = performance.now() + PAUSE_MS;
    send(token);
  }
}
