import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { sparkline, type TopState, topPicture } from '../../src/cli/top-picture.js';
import { adminTokenFor, startNode } from '../support/node.js';
import { testRedis } from '../support/redis.js';

const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

const lastSeen = '2026-11-25T10:00:00.000Z';
const state: TopState = {
  org: 'acme',
  overview: {
    at: '2026-11-25T10:00:00.000Z',
    orgs: { summed: 1, total: 1 },
    active: 9,
    issued: 35,
    quota: 50,
    peak: 29,
    takeoversPerMinute: 4,
    nodeEvictionLatency: { medianMs: 5, isOver: false },
    nodes: 2,
    redis: { up: true },
  },
  history: [1, 2, 4, 8],
  nodes: [
    {
      nodeId: '0192-aaaaaaaa',
      lastSeen,
      isLive: true,
      sessions: 5,
      state: 'ready',
      publicAddress: '127.0.0.1:8080',
    },
    { nodeId: '0192-bbbbbbbb', lastSeen, isLive: false },
    {
      nodeId: '0192-cccccccc',
      lastSeen,
      isLive: true,
      sessions: 3,
      state: 'draining',
      publicAddress: '127.0.0.1:8081',
    },
  ],
  events: [
    {
      id: '1-1',
      type: 'session.granted',
      at: '2026-11-25T09:59:59.000Z',
      user: 'ada',
      machine: 'desk',
      details: {},
    },
  ],
};

describe('top', () => {
  it('shows what is asked first: seats, licenses, takeovers, nodes, events', () => {
    const picture = topPicture(state, 100, 40).join('\n');
    for (const text of [
      'acme',
      'Redis up',
      '35',
      'of 50',
      '4  in the last minute',
      'told within        5  ms: half of the evictions at this node',
      'aaaaaaaa',
      'silent',
      'granted',
    ])
      expect(picture).toContain(text);
  });

  it('tells a node that drains from one that is ready and one that is silent', () => {
    const lines = topPicture(state, 100, 40);
    const stateOf = (nodeId: string) =>
      lines
        .find((line) => line.includes(nodeId))
        ?.trim()
        .split(/ +/)[1];
    expect(['aaaaaaaa', 'bbbbbbbb', 'cccccccc'].map(stateOf)).toEqual(['ready', 'silent', 'draining']);
  });

  it('says when most evictions took longer than is measured, and when there were none', () => {
    const told = (nodeEvictionLatency: TopState['overview']['nodeEvictionLatency']) =>
      topPicture({ ...state, overview: { ...state.overview, nodeEvictionLatency } }, 80, 40).join('\n');
    expect(told({ medianMs: 2500, isOver: true })).toMatch(/told within +>2500 {2}ms: half .* 5 minutes$/m);
    expect(told(null)).toMatch(/told within +- {2}ms/);
  });

  it('says so in capitals when Redis is out of reach', () => {
    const down = { ...state, overview: { ...state.overview, redis: { up: false } } };
    expect(topPicture(down, 100, 40)[0]).toContain('OUT OF REACH');
  });

  it('fits any terminal', () => {
    for (const [columns, rows] of [
      [20, 5],
      [80, 24],
      [300, 2],
    ] as const) {
      const lines = topPicture(state, columns, rows);
      expect(lines.length).toBeLessThan(rows);
      expect(Math.max(...lines.map((line) => [...line].length))).toBeLessThanOrEqual(columns);
    }
  });

  it('draws the newest numbers, from nothing to the highest', () => {
    expect(sparkline([100, 0, 4, 8], 3)).toBe(' ▄█');
    expect(sparkline([], 10)).toBe('');
  });

  it('says that the nodes are not known while Redis is out of reach, and ends with 69, of all orgs and of one', async () => {
    const redis = await testRedis();
    const broker = await startNode(redis.url);
    const url = `http://127.0.0.1:${broker.ports.admin}`;
    const before = await top(url);
    expect([before.code, before.out.includes('not known')]).toEqual([0, false]);
    expect(before.out).toContain(broker.nodeId.slice(-8));
    await redis.stop();
    // At the latest when the node has asked Redis for its time in vain.
    let during = await top(url);
    while (!during.out.includes('OUT OF REACH')) during = await top(url);
    expect(during.out).toContain('nodes: not known while Redis is out of reach');
    expect(during.code).toBe(69);
    expect((await top(url, '--org', 'acme')).code).toBe(69);
    await broker.stop();
  });
});

async function top(url: string, ...args: string[]) {
  const env = { PATH: process.env.PATH, SOLESEAT_ADMIN_URL: url, SOLESEAT_ADMIN_TOKEN: adminTokenFor() };
  const child = spawn(process.execPath, [main, 'top', ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let out = '';
  child.stdout.on('data', (chunk) => (out += chunk));
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  return { code, out };
}
