import { describe, expect, expectTypeOf, it } from 'vitest';
import { closeCodes } from '../../packages/client/src/protocol/close-codes.js';
import type { ClientMessage, ServerMessage } from '../../packages/client/src/protocol/messages.js';
import type { TokenRefusal } from '../../src/auth/tokens.js';
import type { LabelValues } from '../../src/base/metrics/row.js';
import { createMetrics, type LabelValue, type Metrics, metricsTable } from '../../src/base/metrics.js';
import type { Refusal } from '../../src/gateway/upgrade.js';
import type { EvictionPath } from '../../src/session/ending.js';
import type { CauseKind } from '../../src/store/causes.js';
import type { ClaimAnswer, DenialReason, EvictionReason, RenewAnswer } from '../../src/store/lease-types.js';
import type { ScriptName } from '../../src/store/scripts.js';

const pageOf = async (metrics: Metrics) => (await metrics.registry.metrics()).split('\n');
const seriesOf = (lines: readonly string[], name: string) =>
  lines.filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));

describe('the values of labels', () => {
  it('are those that the code uses, no more and no fewer', () => {
    // For the compiler: what the code uses beyond them does not compile in src.
    expectTypeOf<LabelValue<'claims', 'outcome'>>().toEqualTypeOf<
      Exclude<ClaimAnswer['outcome'], 'spelled'> | 'resumed' | 'joined' | 'store_unavailable'
    >();
    expectTypeOf<LabelValue<'denials', 'reason'>>().toEqualTypeOf<DenialReason>();
    expectTypeOf<LabelValue<'evictions', 'reason'>>().toEqualTypeOf<EvictionReason>();
    expectTypeOf<LabelValue<'evictions', 'path'>>().toEqualTypeOf<EvictionPath>();
    expectTypeOf<LabelValue<'renewals', 'outcome'>>().toEqualTypeOf<RenewAnswer['outcome'] | 'failed'>();
    expectTypeOf<LabelValue<'messagesReceived', 'type'>>().toEqualTypeOf<ClientMessage['type'] | 'invalid'>();
    expectTypeOf<LabelValue<'messagesSent', 'type'>>().toEqualTypeOf<ServerMessage['type']>();
    expectTypeOf<LabelValue<'refusals', 'status'>>().toEqualTypeOf<Refusal['status']>();
    expectTypeOf<LabelValue<'admissionRefusals', 'limit'>>().toEqualTypeOf<NonNullable<Refusal['limit']>>();
    expectTypeOf<LabelValue<'tokenFailures', 'reason'>>().toEqualTypeOf<
      TokenRefusal | 'missing' | 'other_subject'
    >();
    expectTypeOf<LabelValue<'redisErrors', 'operation'>>().toEqualTypeOf<ScriptName>();
    expectTypeOf<LabelValue<'scriptErrors', 'operation'>>().toEqualTypeOf<ScriptName>();
    expectTypeOf<LabelValue<'redisSeconds', 'operation'>>().toEqualTypeOf<ScriptName>();
    expectTypeOf<LabelValue<'redisDownCause', 'cause'>>().toEqualTypeOf<CauseKind>();
  });

  it('of closes are the codes of the one table, and what peers and libraries send', () => {
    const ours = closeCodes.map(({ code }) => code);
    const theirs = [1001, 1006, 1007, 1008, 1009, 'other'];
    const all: readonly (string | number)[] = metricsTable.closes[3].code;
    expect([...all].sort()).toEqual([...new Set([...ours, ...theirs])].sort());
  });

  it.each(Object.values(metricsTable).filter(([kind]) => kind === 'counter'))(
    'a %s %s is there from the start as 0, once for each combination of its labels where all are known',
    async (_, name, __, labels) => {
      const all = Object.values<LabelValues>(labels);
      const combinations = all.reduce((so, one) => so * (one === 'open' ? 0 : new Set(one).size), 1);
      const series = seriesOf(await pageOf(createMetrics()), name);
      expect(series.length).toBe(combinations);
      expect(series.filter((line) => !line.endsWith(' 0'))).toEqual([]);
    },
  );

  it('a burst moves the series that was there, in whatever order its labels are named', async () => {
    const metrics = createMetrics();
    const before = await pageOf(metrics);
    metrics.evictions.inc({ path: 'renewal', reason: 'taken_over' });
    metrics.closes.inc({ code: 4010 }, 3000);
    const after = await pageOf(metrics);
    expect(after.filter((line) => line.startsWith('soleseat_') && !before.includes(line))).toEqual([
      'soleseat_evictions_total{reason="taken_over",path="renewal"} 1',
      'soleseat_closes_total{code="4010"} 3000',
    ]);
    expect(seriesOf(after, 'soleseat_evictions_total').length).toBe(
      seriesOf(before, 'soleseat_evictions_total').length,
    );
  });
});
