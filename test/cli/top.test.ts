import { describe, expect, it } from 'vitest';
import { sparkline, type TopState, topPicture } from '../../src/cli/top-picture.js';

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
    { nodeId: '0192-aaaaaaaa', isLive: true, sessions: 5, state: 'ready', publicAddress: '127.0.0.1:8080' },
    { nodeId: '0192-bbbbbbbb', isLive: false },
  ],
  events: [
    { id: '1-1', type: 'granted', at: '2026-11-25T09:59:59.000Z', user: 'ada', machine: 'desk', details: {} },
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
});
