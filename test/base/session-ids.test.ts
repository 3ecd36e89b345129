import { expect, it } from 'vitest';
import { createSessionIds } from '../../src/base/session-ids.js';
import { isSessionId } from '../../src/protocol/parse.js';

it('session ids are in form, each above the one before, also when the clock stands still or steps back', () => {
  let nowMs = Date.parse('2026-01-01T00:00:00Z');
  const next = createSessionIds(() => nowMs);
  const ids = Array.from({ length: 3000 }, (_, index) => {
    if (index === 1000) nowMs += 5;
    if (index === 2000) nowMs -= 3;
    return next();
  });
  expect(ids.every(isSessionId)).toBe(true);
  expect(new Set(ids).size).toBe(ids.length);
  expect([...ids].sort()).toEqual(ids);
});

it('two nodes that start at the same instant make no id alike', () => {
  const makers = [createSessionIds(() => 1_767_225_600_000), createSessionIds(() => 1_767_225_600_000)];
  const ids = makers.flatMap((next) => Array.from({ length: 1000 }, next));
  expect(new Set(ids).size).toBe(ids.length);
});
