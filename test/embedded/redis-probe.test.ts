import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { pickFreeClusterPort, pickFreePort } from '../../src/embedded/redis-probe.js';

/** The first port that this system gives to an outgoing connection. */
function firstOutgoing(): number {
  const range = '/proc/sys/net/ipv4/ip_local_port_range';
  return existsSync(range) ? Number(/^\d+/.exec(readFileSync(range, 'utf8'))?.[0]) : 49_152;
}

describe('a free port', () => {
  it('is none that an outgoing connection may be given, nor is that of a cluster bus', async () => {
    for (let i = 0; i < 50; i++) {
      expect(await pickFreePort()).toBeLessThan(firstOutgoing());
      expect((await pickFreeClusterPort()) + 10_000).toBeLessThan(firstOutgoing());
    }
  });

  it('is one that nobody listens on', async () => {
    const port = await pickFreePort();
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    server.close();
  });
});
