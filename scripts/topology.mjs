/**
 * Starts a whole Redis of several servers on this machine, to try failovers by hand, until Ctrl+C.
 *
 *   node scripts/topology.mjs sentinel|cluster
 */
import { setup } from './setup.mjs';
import { fail } from './steps.mjs';

const starters = { sentinel: 'startSentinelTopology', cluster: 'startClusterTopology' };

async function topology(kind) {
  if (!Object.hasOwn(starters, kind ?? '')) {
    process.stderr.write('Say which: npm run topology -- sentinel, or npm run topology -- cluster\n');
    process.exitCode = 2;
    return;
  }
  await setup({ quiet: true });
  const { provisionRedis } = await import('../dist/embedded/find-redis.js');
  const starter = (await import('../dist/embedded/redis-topology.js'))[starters[kind]];
  const { path } = await provisionRedis();
  const { url, servers, sentinels = [], stop } = await starter({ binary: path });
  const list = (processes) => processes.map(({ port, pid }) => `    port ${port}   pid ${pid}`).join('\n');
  console.log(`  export REDIS_URL='${url}'\n\n  servers, the masters first\n${list(servers)}`);
  if (sentinels.length > 0) console.log(`  Sentinels\n${list(sentinels)}`);
  console.log('\nKill a master (kill -9 pid) and see. Ctrl+C ends all.');
  const keepAlive = setInterval(() => {}, 60_000);
  const end = () => {
    clearInterval(keepAlive);
    void stop();
  };
  process.once('SIGINT', end);
  process.once('SIGTERM', end);
}

await topology(process.argv[2]).catch(fail);
