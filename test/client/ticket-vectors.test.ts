import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { faultOf } from '../../packages/client/src/broker-proof.js';
import {
  brokerProof,
  type LeaveRecord,
  lookAtLeave,
  newLeave,
  type TicketKeys,
} from '../../packages/client/src/ticket.js';

interface LookVector {
  readonly name: string;
  readonly record: LeaveRecord;
  readonly machine: string;
  readonly user?: string;
  readonly org?: string;
  readonly nowMs: number;
  readonly holds: boolean;
  readonly untilMs?: number;
  readonly reason?: string;
  readonly seenMs: number;
}
interface ProofVector {
  readonly name: string;
  readonly ticket: string;
  readonly nonce: string;
  readonly sessionId: string;
  readonly isGood: boolean;
}

const { keys, looks, proofs } = JSON.parse(
  readFileSync(new URL('../../clients/ticket-vectors.json', import.meta.url), 'utf8'),
) as {
  readonly keys: TicketKeys;
  readonly looks: readonly LookVector[];
  readonly proofs: readonly ProofVector[];
};

// The libraries in Java and Python are held to the same file.
describe('a seat that was taken along', () => {
  it.each(looks)('$name', async ({ record, machine, user, org, nowMs, holds, untilMs, reason, seenMs }) => {
    const holder = { keys, machine, ...(user && { user }), ...(org && { org }) };
    const look = await lookAtLeave(record, holder, nowMs);
    expect(look).toMatchObject({
      holds,
      ...(holds ? { untilMs } : { reason, message: expect.stringMatching(/\.$/) }),
    });
    expect(look.record).toEqual({ ...record, seenMs });
  });

  it('begins with the time at which its ticket came, and is over at once where the clock was set on past its end', async () => {
    const [first] = looks;
    if (first === undefined) throw new Error('no vector');
    const record = newLeave({ ticket: first.record.ticket, forMs: 5_000 }, 1_000_000);
    expect(record).toMatchObject({ receivedMs: 1_000_000, seenMs: 1_000_000 });
    const far = await lookAtLeave(record, { keys, machine: 'm-1' }, 9_000_000);
    expect(far).toMatchObject({ holds: false, reason: 'over' });
    // And to set it back afterwards does not help.
    expect(await lookAtLeave(far.record, { keys, machine: 'm-1' }, 1_001_000)).toMatchObject({
      holds: false,
      reason: 'clock_set_back',
    });
  });
});

describe('the ticket of a welcome', () => {
  it.each(proofs)('$name', async ({ ticket, nonce, sessionId, isGood }) => {
    const fault = await faultOf({ ticket, sessionId }, nonce, keys);
    expect(fault === null).toBe(isGood);
    if (fault !== null) expect(fault).toMatch(/\.$/);
  });

  it('is asked for with a new nonce each time', () => {
    const { nonce } = brokerProof(keys);
    const nonces = new Set(Array.from({ length: 50 }, nonce));
    expect(nonces.size).toBe(50);
    for (const one of nonces) expect(one).toMatch(/^[0-9a-f]{32}$/);
  });

  it('fails where there is none', async () => {
    expect(await faultOf({ sessionId: 's' }, 'n', keys)).toBe('The broker showed no ticket.');
  });
});
