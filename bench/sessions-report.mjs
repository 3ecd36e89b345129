import { Redis } from 'ioredis';

/** What the group and its Redis have used so far: CPU in seconds, memory in bytes, over all workers. */
export async function scrapeGroup(adminPort, redisUrl) {
  const page = await (
    await fetch(`http://127.0.0.1:${adminPort}/metrics`, { signal: AbortSignal.timeout(5000) })
  ).text();
  const all = (name) =>
    [...page.matchAll(new RegExp(`^${name}\\{worker="\\d+"\\} (\\S+)$`, 'gm'))].map(([, value]) =>
      Number(value),
    );
  const sum = (values) => values.reduce((a, b) => a + b, 0);
  const redis = new Redis(redisUrl);
  try {
    const info = await redis.info();
    const of = (field) => Number(new RegExp(`^${field}:([\\d.]+)`, 'm').exec(info)?.[1] ?? 0);
    return {
      workers: all('soleseat_worker_sessions').length,
      memory: sum(all('soleseat_worker_memory_bytes')),
      cpu: sum(all('soleseat_worker_cpu_seconds')),
      redisMemory: of('used_memory'),
      redisCpu: of('used_cpu_user') + of('used_cpu_sys'),
    };
  } finally {
    redis.disconnect();
  }
}

/** As a table in Markdown. */
export function tableOfSessions(result) {
  const kib = (bytes) => `${(bytes / 1024).toFixed(1)} KiB`;
  const rows = [
    ['sessions, held / asked for', `${result.held} / ${result.sessions}`],
    ['workers, client processes, minutes', `${result.workers}, ${result.clients}, ${result.minutes}`],
    ['opened within', `${(result.openedMs / 1000).toFixed(1)} s`],
    ['cut off by the kill of a worker, came back', `${result.cut}`],
    ['evicted, refused, not resumed', `${result.evicted}, ${result.refused}, ${result.notResumed}`],
    ['from the cut to the seat, p50 and p99', `${result.resumeP50Ms} ms, ${result.resumeP99Ms} ms`],
    ['memory of the workers, for a session', kib(result.nodeBytesEach)],
    ['memory of Redis, for a session', kib(result.redisBytesEach)],
    [
      'CPU of the workers at rest, for a session',
      `${result.nodeMicrosecondsEachSecond.toFixed(1)} µs a second`,
    ],
    ['CPU of Redis at rest, for a session', `${result.redisMicrosecondsEachSecond.toFixed(1)} µs a second`],
    ['all of it kept', result.isKept ? 'yes' : 'no'],
  ];
  return [
    '| what | measured |',
    '| --- | --- |',
    ...rows.map(([what, value]) => `| ${what} | ${value} |`),
  ].join('\n');
}
