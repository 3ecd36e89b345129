import type { Clock } from '../base/clock.js';
import type { Log } from '../base/log.js';
import type { Metrics } from '../base/metrics.js';
import type { TokenRefusal, TokenVerdict, TokenVerifier } from './tokens.js';
import { UnknownKeys } from './unknown-keys.js';

/** Where a token is shown. */
export type Door = 'handshake' | 'hello' | 'refresh' | 'session query' | 'admin';

/** Why a token is not accepted at a door. */
export type GateRefusal = TokenRefusal | 'missing' | 'other_subject';

export type GateVerdict<Claims> = { readonly ok: true; readonly claims: Claims } | GateDenial;

export interface GateDenial {
  readonly ok: false;
  readonly reason: GateRefusal;
  /** For a token that time may mend: when another one may be shown. Without it the refusal is final. */
  readonly retryAfterMs?: number;
}

/** The one place that judges tokens, counts those that are refused, and logs why: the claim at fault, never the token. */
export class TokenGate<Claims> {
  readonly #unknownKeys: UnknownKeys;

  constructor(
    private readonly verifier: TokenVerifier<Claims>,
    private readonly parts: { readonly log: Log; readonly metrics: Metrics; readonly clock: Clock },
  ) {
    this.#unknownKeys = new UnknownKeys(parts.clock);
  }

  /** `accepts`: whether the claims will do here, as far as this door can tell. Never throws, does no I/O. */
  judge(
    token: string | null | undefined,
    door: Door,
    accepts: (claims: Claims) => boolean = () => true,
  ): GateVerdict<Claims> {
    if (token === null || token === undefined) return this.#refuse('missing', door);
    const verdict = this.verifier.verify(token);
    if (!verdict.ok) return this.#refuse(verdict.reason, door, verdict);
    return accepts(verdict.claims) ? verdict : this.#refuse('other_subject', door);
  }

  /** Whether a token is current: for what is only shown or hidden by it. Counts and logs nothing. */
  isGood(token: string): boolean {
    return this.verifier.verify(token).ok;
  }

  #refuse(
    reason: GateRefusal,
    door: Door,
    { claim, problem, beginsInMs, kid }: Partial<Extract<TokenVerdict<Claims>, { ok: false }>> = {},
  ): GateDenial {
    const retryAfterMs = kid === undefined ? beginsInMs : this.#unknownKeys.waitMs(kid);
    this.parts.metrics.tokenFailures.inc({ reason });
    this.parts.log.info(
      { reason, door, ...(claim !== undefined && { claim, problem }), ...(retryAfterMs && { retryAfterMs }) },
      'token not accepted',
    );
    return { ok: false, reason, ...(retryAfterMs !== undefined && { retryAfterMs }) };
  }
}
