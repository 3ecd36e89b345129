import { once } from 'node:events';

/**
 * What is done to a stage of real processes. `begin` lets the fault happen, `end` takes it back after `lastsMs`; a fault
 * without an `end` stays, as a killed node does. `promise` is what must hold, in a few words.
 */
export const faults = [
  {
    fault: 'Redis frozen for 4 s',
    promise: 'jeopardy is told; nobody is let in meanwhile; all go on',
    begin: ({ redis }) => redis.kill('SIGSTOP'),
    lastsMs: 4000,
    end: ({ redis }) => redis.kill('SIGCONT'),
  },
  {
    fault: 'Redis killed, back after 4 s without its data',
    promise: 'leases are put back; no epoch twice',
    begin: ({ redis }) => redis.kill('SIGKILL'),
    lastsMs: 4000,
    end: ({ redis }) => redis.restart(),
  },
  {
    fault: 'Redis cut off for 4 s, without a word',
    promise: 'dead connections are left; leases that ran out meanwhile are put back',
    begin: ({ toRedis }) => toRedis.cutOff(),
    lastsMs: 4000,
    end: ({ toRedis }) => toRedis.heal(),
  },
  {
    fault: 'Redis 300 ms slower for 5 s',
    promise: 'nobody notices',
    begin: ({ toRedis }) => {
      toRedis.delayMs = 300;
    },
    lastsMs: 5000,
    end: ({ toRedis }) => {
      toRedis.delayMs = 0;
    },
  },
  {
    fault: 'FLUSHALL',
    promise: 'leases are put back within one renewal interval',
    begin: ({ store }) => store.flushall(),
  },
  {
    fault: 'Redis at maxmemory for 5 s',
    promise: 'sessions are renewed; new ones are refused',
    begin: ({ store }) => store.config('SET', 'maxmemory', '1'),
    lastsMs: 5000,
    end: ({ store }) => store.config('SET', 'maxmemory', '0'),
  },
  {
    fault: "Redis's clock an hour ahead",
    promise: 'leases that ran out by it are put back at once',
    needsClock: true,
    begin: (stage) => stage.setClock(3600),
  },
  {
    fault: "Redis's clock an hour back",
    promise: 'all go on',
    needsClock: true,
    begin: (stage) => stage.setClock(-3600),
  },
  {
    fault: 'kill -9 of one node of two',
    promise: 'its sessions resume on the other',
    begin: ({ nodes }) => nodes[0].child.kill('SIGKILL'),
  },
  {
    fault: 'a node stopped for 9 s (SIGSTOP), longer than the TTL',
    promise: 'nothing is done under an old epoch; who was not displaced goes on',
    begin: ({ nodes }) => nodes[0].child.kill('SIGSTOP'),
    lastsMs: 9000,
    end: ({ nodes }) => nodes[0].child.kill('SIGCONT'),
  },
  {
    fault: 'the event loop of a node full for 9 s, longer than the TTL',
    promise: 'as above',
    begin: ({ nodes }) => nodes[0].child.kill('SIGUSR2'),
    lastsMs: 9000,
    end: () => {},
  },
  {
    fault: 'SIGTERM to one node of two',
    promise: 'all resume on the other; exit 0',
    begin: ({ nodes }) => nodes[0].child.kill('SIGTERM'),
  },
  {
    fault: 'two nodes restarted one by one',
    promise: 'all resume; another machine never finds the seat free',
    begin: async (stage) => {
      for (const node of [...stage.nodes]) {
        const ended = once(node.child, 'exit');
        node.child.kill('SIGTERM');
        const [code] = await ended;
        if (code !== 0) throw new Error(`a drained node ended with ${code}`);
        await stage.startNode();
      }
    },
  },
  {
    fault: 'all connections of clients broken at once',
    promise: 'all come back with jitter',
    begin: ({ toNodes }) => toNodes.dropAll(),
  },
];
