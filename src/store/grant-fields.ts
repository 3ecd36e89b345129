import type { Displaced, HeldLease } from './lease-types.js';
import type { ClaimReply, HolderReply } from './replies.js';

/** What the scripts take of a lease, and what they tell of a grant, as fields. */

export type Token = Pick<HeldLease, 'tokenIssuedAtMs' | 'tokenId'>;
type Program = Token &
  Pick<HeldLease, 'connection' | 'instance' | 'attempt' | 'clientText' | 'address' | 'asks'>;

/** Which running program, over which connection: as the scripts take it. */
export function programOf(lease: Program) {
  const { connection, instance, attempt, clientText: client, address, asks } = lease;
  return {
    connection,
    instance,
    client,
    address,
    ...(attempt !== undefined && { attempt: String(attempt) }),
    ...tokenOf(lease),
    ...(asks === true && { asks: '1' }),
  };
}

export function tokenOf({ tokenIssuedAtMs: iat, tokenId: jti }: Token) {
  return { ...(iat !== undefined && { iat: String(iat) }), ...(jti !== undefined && { jti }) };
}

export function licenseOf({ license }: ClaimReply & { readonly outcome: 'granted' }) {
  if (license === undefined) return null;
  const { id, expiresAt, graceEndsAt, kind } = license;
  return {
    id,
    ...(expiresAt !== undefined && { expiresAt: Number(expiresAt) }),
    ...(graceEndsAt !== undefined && { graceEndsAt: Number(graceEndsAt) }),
    ...(kind !== undefined && { kind }),
  };
}

export function holderOf({ machine, since, sameMachine, onLeaveUntil }: HolderReply) {
  return {
    machine,
    since: Number(since),
    ...(sameMachine && { sameMachine }),
    ...(onLeaveUntil !== undefined && { onLeaveUntil: Number(onLeaveUntil) }),
  };
}

export function displacedOf(reply: ClaimReply & { readonly outcome: 'granted' }): Displaced | null {
  if (reply.displaced === undefined) return null;
  const { epoch, connection = null, ...more } = reply.displaced;
  return { ...more, connection, epoch: Number(epoch) };
}
