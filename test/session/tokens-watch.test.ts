import { expect, it } from 'vitest';
import { TokenWatch } from '../../src/session/tokens-watch.js';
import { Stage } from './stage.js';

it('a warning that a token ends tells whole milliseconds, wherever the clock stands', async () => {
  const stage = new Stage();
  // A node's clock is a median of three, and has fractions.
  const wallMs = () => stage.nowMs + 0.4;
  const { session, link } = stage.seat();
  new TokenWatch(stage.wheel, wallMs, 60_000).watch(session, stage.nowMs + 1000.9);
  await stage.pass(600);
  expect(link.heard).toEqual([{ type: 'token_expiring', inMs: expect.any(Number) }]);
  expect(link.heard.map((message) => 'inMs' in message && Number.isInteger(message.inMs))).toEqual([true]);
});
