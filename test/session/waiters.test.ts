import { describe, expect, it } from 'vitest';
import { Waiters } from '../../src/session/waiters.js';
import { HeardLink, Stage } from './stage.js';

function waitersOn(stage: Stage) {
  const { wheel, clock, log } = stage;
  const waiters = new Waiters({ asks: { withdraw: async () => {} }, wheel, clock, log });
  const link = new HeardLink();
  const completed: boolean[] = [];
  const waits = (question: { askId: string; waitMs: number } | null) =>
    waiters.add(
      {
        ...{ org: 'acme', user: 'ada', connection: 'c1', link, question, freeInMs: null },
        complete: ({ isUnput }) => completed.push(isUnput),
      },
      false,
    );
  return { waiters, link, completed, waits };
}
const question = { askId: 'a1', waitMs: 15_000 };

describe('a notice that comes before the answer to the claim that it is about', () => {
  it('of a question that was put: it is not taken for one that reached nobody', async () => {
    const stage = new Stage();
    const { waiters, completed, waits } = waitersOn(stage);
    waiters.receive({ type: 'put', connection: 'c1', askId: 'a1' });
    waits(question);
    await stage.pass(3_000);
    expect(completed).toEqual([]);
    await stage.pass(13_000);
    expect(completed).toEqual([false]);
  });

  it('of an answer: it is acted on at once', () => {
    const { waiters, completed, waits } = waitersOn(new Stage());
    waiters.receive({ type: 'answered', connection: 'c1', askId: 'a1', state: 'yes', inMs: 0 });
    waits(question);
    expect(completed).toEqual([false]);
  });

  it('of a free seat: it is handed on', () => {
    const { waiters, link, waits } = waitersOn(new Stage());
    waiters.receive({ type: 'seat_free', connection: 'c1' });
    waits(null);
    expect(link.heard).toEqual([{ type: 'seat_free' }]);
  });
});

it('a question that is put to nobody within two seconds counts as yes; one that is put again has no more time', async () => {
  const stage = new Stage();
  const { completed, waits } = waitersOn(stage);
  waits(question);
  await stage.pass(2_100);
  expect(completed).toEqual([true]);
  const again = waitersOn(stage);
  again.waits(question);
  for (let i = 0; i < 14; i += 1) {
    again.waiters.receive({ type: 'put', connection: 'c1', askId: 'a1' });
    await stage.pass(1_000);
  }
  expect(again.completed).toEqual([]);
  await stage.pass(1_100);
  expect(again.completed).toEqual([false]);
});
