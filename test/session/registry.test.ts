import { describe, expect, it } from 'vitest';
import { Registry } from '../../src/session/registry.js';
import { Session } from '../../src/session/session.js';
import { HeardLink } from './stage.js';

const sessionOf = (org: string, user: string) =>
  new Session({ org, user, sessionId: `${org}-${user}`, machine: { id: 'pc' }, token: {} }, new HeardLink());

describe('the registry', () => {
  it('counts its sessions as their states change, and no longer once they are out', () => {
    const registry = new Registry();
    const [ada, bob] = [sessionOf('acme', 'ada'), sessionOf('acme', 'bob')];
    for (const session of [ada, bob]) registry.add(session);
    expect(registry.counts).toEqual({ claiming: 2, active: 0, jeopardy: 0, ended: 0 });
    ada.state = 'active';
    bob.state = 'jeopardy';
    expect(registry.counts).toEqual({ claiming: 0, active: 1, jeopardy: 1, ended: 0 });
    for (const session of [ada, bob]) {
      registry.remove(session);
      expect(Object.values(registry.counts).reduce((sum, one) => sum + one, 0)).toBe(registry.size);
    }
    expect(registry.counts).toEqual({ claiming: 0, active: 0, jeopardy: 0, ended: 0 });
    ada.markEnded();
    expect(registry.counts).toEqual({ claiming: 0, active: 0, jeopardy: 0, ended: 0 });
  });

  it('takes a session out once: a second removal changes nothing', () => {
    const registry = new Registry();
    const [first, second] = [sessionOf('acme', 'ada'), sessionOf('acme', 'ada')];
    for (const session of [first, second]) registry.add(session);
    expect(registry.of('acme', 'ada')).toEqual([first, second]);
    registry.remove(first);
    registry.remove(first);
    expect(registry.of('acme', 'ada')).toEqual([second]);
    expect([registry.size, registry.counts.claiming]).toEqual([1, 1]);
  });

  it('has nobody left when all have gone', () => {
    const registry = new Registry();
    const sessions = [sessionOf('acme', 'ada'), sessionOf('acme', 'bob'), sessionOf('globex', 'ada')];
    for (const session of sessions) registry.add(session);
    expect(registry.all()).toEqual(sessions);
    for (const session of sessions) registry.remove(session);
    expect(registry.all()).toEqual([]);
    expect(registry.of('acme', 'ada')).toEqual([]);
  });
});
