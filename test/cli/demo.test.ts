import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import {
  judgeNotice,
  judgeRefusal,
  judgeResume,
  judgeTakeover,
  type Welcome,
} from '../../src/cli/demo-judge.js';
import { type Outcome, playStory, type Step } from '../../src/cli/demo-step.js';

const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const before: Welcome = {
  kind: 'welcome',
  ms: 5,
  sessionId: 'old',
  epoch: 7,
  resumed: false,
  displaced: null,
};
const after: Welcome = { ...before, sessionId: 'new', epoch: 8, displaced: 'workstation' };

describe('soleseat demo', () => {
  it('plays every step as promised, and prints one JSON object a step and nothing else', async () => {
    const { code, stdout, stderr } = await runDemo();
    const steps = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { name: string; ok: boolean; problems?: string[] });
    expect(steps.filter(({ ok }) => !ok)).toEqual([]);
    expect(steps.map(({ name }) => name)).toEqual([
      'grant',
      'takeover',
      'notice',
      'restart',
      'crash',
      'reconnect',
      'release',
    ]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  }, 60_000);

  it('stops at the first step that is not as promised, and names it', async () => {
    const played: string[] = [];
    const step = (name: string, play: () => Promise<Outcome>): Step => ({
      name,
      title: '',
      telling: '',
      play,
    });
    const outcome = (...problems: string[]): Outcome => ({ ms: 1, says: [], facts: {}, problems });
    const listener = {
      begin: ({ name }: Step) => played.push(name),
      end: (_: Step, __: number, { problems }: Outcome) => played.push(...problems),
    };
    const good = step('good', async () => outcome());
    const bad = step('bad', async () => outcome('no'));
    const thrown = step('thrown', () => Promise.reject(new Error('late')));
    expect(await playStory([good], listener)).toBeNull();
    expect(await playStory([good, bad, good], listener)).toEqual({ step: bad, number: 2 });
    expect(await playStory([thrown], listener)).toEqual({ step: thrown, number: 1 });
    expect(played).toEqual(['good', 'good', 'bad', 'no', 'thrown', 'late']);
  });
});

describe('the judges of the demo', () => {
  it('want a takeover with a new session, a higher epoch and the loser named', () => {
    expect(judgeTakeover(after, 'workstation', before)).toEqual([]);
    expect(judgeTakeover({ ...after, displaced: null }, 'workstation', before)).toHaveLength(1);
    expect(judgeTakeover({ ...after, epoch: 7 }, 'workstation', before)).toHaveLength(1);
    expect(judgeTakeover({ kind: 'denied', ms: 1, reason: 'forbidden' }, 'workstation', before)).toEqual([
      'the seat was not granted: denied, forbidden',
    ]);
  });

  it('want a notice with reason, winner, epoch and close code, at once', () => {
    const notice = { ms: 9, reason: 'taken_over', by: 'laptop', epoch: 8, closeCode: 4509 };
    expect(judgeNotice(notice, 'taken_over', 'laptop', after)).toEqual([]);
    const wrong = { ms: 3000, reason: 'lease_lost', by: null, epoch: 7, closeCode: 4010 };
    expect(judgeNotice(wrong, 'taken_over', 'laptop', after)).toHaveLength(5);
  });

  it('want the same session after a crash', () => {
    expect(judgeResume({ ...before, resumed: true, epoch: 8 }, before)).toEqual([]);
    expect(judgeResume(after, before)).toHaveLength(2);
  });

  it('want a refused reconnect to leave the holder alone', () => {
    const watch = { sessionBefore: 'new', sessionAfter: 'new', isRenewed: true };
    const conflict = { kind: 'conflict', ms: 3, holder: 'laptop' } as const;
    expect(judgeRefusal(conflict, 'laptop', watch)).toEqual([]);
    expect(judgeRefusal(after, 'laptop', watch)).toHaveLength(1);
    expect(judgeRefusal(conflict, 'laptop', { ...watch, sessionAfter: null })).toHaveLength(1);
    expect(judgeRefusal(conflict, 'laptop', { ...watch, isRenewed: false })).toHaveLength(1);
  });
});

function runDemo(): Promise<{ code: number | string | null; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [main, 'demo', '--json'], (error, stdout, stderr) =>
      resolve({ code: error === null ? child.exitCode : (error.code ?? null), stdout, stderr }),
    );
  });
}
