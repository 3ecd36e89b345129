import { describe, expect, it } from 'vitest';
import { checks } from '../../src/kit/checks/table.js';
import { hideable } from '../../src/kit/stage.js';
import { judge } from './judge.js';

const idle = { file: 'sleep', args: ['600'] };
const passing = async (command: typeof idle) => {
  const results = await judge(command, { patienceMs: 500, jobs: 40 });
  return results.filter(({ verdict }) => verdict === 'passed').map(({ check }) => check.id);
};

describe('no check is passed', () => {
  it('by a client that does nothing', async () => {
    expect(await passing(idle)).toEqual([]);
  });

  it('by a client that ends at once', async () => {
    expect(await passing({ file: 'true', args: [] })).toEqual([]);
  });

  it('by a client that cannot be started, and it is told so', async () => {
    const [result] = await judge({ file: '/no/such/client', args: [] }, { chosen: checks.slice(0, 1) });
    expect(result?.finding).toContain('could not be started');
  });
});

it('what the platform hides makes checks that are not run, and says why', async () => {
  const results = await judge(idle, { patienceMs: 500, jobs: 40, hides: hideable });
  const notRun = results.filter(({ verdict }) => verdict === 'not run');
  expect(notRun.map(({ check }) => check.id)).toEqual([
    'handshake-400',
    'handshake-403',
    'handshake-404',
    'handshake-503',
    'handshake-429',
    'conflict-silence',
  ]);
  for (const { finding } of notRun) expect(finding).toContain('--hides');
});
