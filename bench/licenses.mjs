import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { monotonicMs } from '../dist/base/clock.js';
import { createMetrics } from '../dist/base/metrics.js';
import { provisionRedis } from '../dist/embedded/find-redis.js';
import { startRedis } from '../dist/embedded/redis-process.js';
import { runImport } from '../dist/license/import.js';
import { ImportFile } from '../dist/license/import-file.js';
import { recount } from '../dist/license/recount.js';
import { createStore } from '../dist/store/store.js';

const ORG = 'acme';
/** A cost per license that grows by more than this from the smallest org to the largest is not flat. */
const FLAT = 1.5;
const COUNTS = 200;

/** Measures what a license costs to import, to list, to count and to recount, in orgs of rising size. */
export async function benchLicenses({ sizes, json, onProgress }) {
  const { path } = await provisionRedis({ onProgress: () => {} });
  const server = await startRedis({ binary: path });
  const redis = new Redis(server.url);
  const rows = [];
  try {
    // The first of all is not counted: it warms up what all of them use.
    for (const [index, size] of [sizes[0], ...sizes].entries()) {
      await redis.flushall();
      onProgress(`${size.toLocaleString('en')} licenses${index === 0 ? ' (to warm up)' : ''}`);
      const row = await measure(redis, size);
      if (index > 0) rows.push(row);
    }
  } finally {
    redis.disconnect();
    await server.stop();
  }
  const first = rows[0];
  const last = rows.at(-1);
  const ratios = Object.fromEntries(
    Object.keys(first)
      .filter((name) => name !== 'licenses')
      .map((name) => [name, last[name] / first[name]]),
  );
  if (json) console.log(JSON.stringify({ rows, ratios }, null, 2));
  else print(rows, ratios);
  return Object.values(ratios).every((ratio) => ratio <= FLAT);
}

async function measure(redis, size) {
  const config = {
    nodeId: 'bench',
    keyPrefix: 'soleseat:',
    leaseTtlMs: 60_000,
    commandTimeoutMs: 30_000,
    licenseMode: 'required',
    takeoversPerMinute: 0,
    claimsPerMinute: 0,
    machinesKeptMs: 0,
    eventsKept: 10_000,
  };
  const store = createStore({ redis, metrics: createMetrics(), clock: monotonicMs, config });
  const file = ['user,expiresAt,note', ...Array.from({ length: size }, (_, i) => `user-${i},,`)].join('\n');
  const imported = await timed(async () => {
    const rules = { nowMs: Date.now(), timeZone: 'UTC', ignoresCase: false, maxLines: size };
    const source = new ImportFile(Buffer.from(file), rules);
    const importId = randomUUID();
    await store.imports.begin(ORG, importId, 'bench');
    const order = { org: ORG, actor: 'bench', file: source, total: size };
    const end = await runImport(store, order, { importId, newId: randomUUID }, () => {});
    await source.close();
    if (end.type !== 'done') throw new Error(`the import failed: ${JSON.stringify(end)}`);
  });
  const listed = await timed(async () => {
    let seen = 0;
    for (let cursor = null, first = true; first || cursor !== null; first = false) {
      const page = await store.licenses.page(ORG, { revoked: false }, cursor, 500);
      seen += page.items.length;
      cursor = page.next;
    }
    if (seen !== size) throw new Error(`listed ${seen} of ${size}`);
  });
  const counted = await timed(async () => {
    for (let i = 0; i < COUNTS; i += 1) {
      const { issued } = await store.orgs.counts(ORG);
      if (issued !== size) throw new Error(`counted ${issued} of ${size}`);
    }
  });
  const recounted = await timed(async () => {
    const { licenses, differences } = await recount(store, ORG, { repairBy: null });
    if (licenses !== size || differences.length > 0) throw new Error('the recount differs');
  });
  const perLicense = (ms) => (ms * 1000) / size;
  return {
    licenses: size,
    'import µs/license': perLicense(imported),
    'list µs/license': perLicense(listed),
    'recount µs/license': perLicense(recounted),
    'count µs/call': (counted * 1000) / COUNTS,
  };
}

async function timed(work) {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

function print(rows, ratios) {
  const names = Object.keys(rows[0]);
  console.log(names.map((name) => name.padStart(20)).join(''));
  for (const row of rows) {
    console.log(names.map((name) => row[name].toFixed(name === 'licenses' ? 0 : 1).padStart(20)).join(''));
  }
  const cells = names.map((name) => (ratios[name] === undefined ? 'last / first' : ratios[name].toFixed(2)));
  console.log(cells.map((text) => text.padStart(20)).join(''));
}
