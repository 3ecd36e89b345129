import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { keyRingFromSecret } from '../dist/auth/read-keys.js';
import { Tickets, ticketRingFromText } from '../dist/auth/tickets.js';
import { createTokenVerifier, mintToken } from '../dist/auth/tokens.js';
import { percentile } from './report.mjs';
import { withStage } from './stage.mjs';

/**
 * The three measurements of one round. Each gives pairs `{ bare, soleseat }` by metric: the two values of a pair
 * were taken right after each other, in turns, so that what else the machine does falls on both.
 */
export const parts = { establish, takeOver, idle, sign };

const WAVES = 6;
/** A node is measured as it runs for days: compiled, and with tables of the size that it needs. */
const WARM_UP_SESSIONS = 8000;
const WARM_UP_TAKEOVERS = 500;

/** CPU of the node (user and system, all threads) for each session established, from accept to welcome. */
function establish({ sessions, concurrency }, tools) {
  return withStage({ ...tools, nodes: 1, clients: 1 }, async (stage) => {
    const crowd = (name, count) => ({ name, count, concurrency });
    for (const { nodes, clients } of Object.values(stage)) {
      for (let warmed = 0; warmed < WARM_UP_SESSIONS; warmed += sessions) {
        await open(nodes[0], clients, crowd(`early-${warmed}`, sessions));
        await drop(clients);
      }
    }
    const pairs = await inTurns(WAVES, stage, async ({ nodes: [node], clients }, wave) => {
      // No garbage collection is forced here: it would throw compiled code away, which a running node does not.
      const before = await node.usage({ collect: false });
      const elapsedMs = await open(node, clients, crowd(`wave-${wave}`, sessions));
      const after = await node.usage({ collect: false });
      await drop(clients);
      return {
        cpuMsPerSession: (after.cpuMs - before.cpuMs) / sessions,
        sessionsPerSecond: (sessions / elapsedMs) * 1000,
      };
    });
    return byMetric(pairs);
  });
}

/** From a newcomer's hello at one node to the notice at the loser, a session of the other node. */
function takeOver({ takeovers, concurrency }, tools) {
  return withStage({ ...tools, nodes: 2, clients: 1 }, async (stage) => {
    const move = ({ nodes: [from, to], clients: [client] }, name, count) =>
      client('takeOver', { from: from.port, to: to.port, name, count, concurrency });
    for (const side of Object.values(stage)) await move(side, 'early', WARM_UP_TAKEOVERS);
    const pairs = await inTurns(WAVES, stage, async (side, wave) => {
      const noticesMs = await move(side, `wave-${wave}`, takeovers);
      return { noticeP50Ms: percentile(noticesMs, 50), noticeP95Ms: percentile(noticesMs, 95) };
    });
    return byMetric(pairs);
  });
}

/** What many idle sessions add to a node that had none, each time after a garbage collection. */
function idle({ idle: sessions, concurrency }, tools) {
  return withStage({ ...tools, nodes: 1, clients: 2 }, async (stage) => {
    const pairs = await inTurns(1, stage, async ({ nodes: [node], clients }) => {
      const before = await node.usage({ collect: true });
      await open(node, clients, { name: 'idle', count: sessions, concurrency });
      const after = await node.usage({ collect: true });
      await drop(clients);
      const kibEach = (bytes) => bytes / sessions / 1024;
      return {
        rssKibPerSession: kibEach(after.rss - before.rss),
        heapKibPerSession: kibEach(after.heap - before.heap),
      };
    });
    return byMetric(pairs);
  });
}

const SIGNATURES = 1000;

/** A signed ticket (ES256) beside what each session costs anyway: the check of its token (HS256). CPU of this process. */
async function sign() {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const tickets = new Tickets(
    ticketRingFromText(privateKey.export({ type: 'pkcs8', format: 'pem' })),
    'soleseat',
  );
  const ring = keyRingFromSecret(randomUUID());
  const seat = {
    user: 'ada',
    org: 'acme',
    machineId: 'pc',
    sessionId: randomUUID(),
    epoch: Date.now() * 1000,
  };
  const known = { issuer: 'soleseat', audience: 'soleseat' };
  const token = mintToken({ ...known, key: ring.keys[0], user: 'ada', org: 'acme', expiresInSeconds: 3600 });
  const verifier = createTokenVerifier({ ...known, keys: { ring } });
  if (!verifier.verify(token).ok) throw new Error('the token of the bench is not accepted');
  const work = {
    bare: () => verifier.verify(token),
    soleseat: () =>
      tickets.sign({ ...seat, issuedAtMs: Date.now(), expiresAtMs: Date.now() + 30_000, nonce: 'n' }),
  };
  const pairs = await inTurns(WAVES + 1, work, async (one) => {
    const before = process.cpuUsage();
    for (let i = 0; i < SIGNATURES; i++) one();
    const { user, system } = process.cpuUsage(before);
    return { signatureUs: (user + system) / SIGNATURES };
  });
  // The first one is not compiled yet.
  return byMetric(pairs.slice(1));
}

/** Sessions of as many users, shared out among the processes of clients. Gives how long it took, in ms. */
async function open(node, clients, { name, count, concurrency }) {
  const share = (whole, index) =>
    Math.floor(whole / clients.length) + (index < whole % clients.length ? 1 : 0);
  const orders = clients.map((client, index) =>
    client('establish', {
      port: node.port,
      name: `${name}-${index}`,
      count: share(count, index),
      concurrency: Math.max(1, share(concurrency, index)),
    }),
  );
  return Math.max(...(await Promise.all(orders)));
}

/** Throws when a session was lost meanwhile. */
function drop(clients) {
  return Promise.all(clients.map((client) => client('drop')));
}

/** Each kind in turn, the other one first each time. */
async function inTurns(times, stage, measure) {
  const pairs = [];
  for (let time = 0; time < times; time++) {
    const names = Object.keys(stage);
    if (time % 2 === 1) names.reverse();
    const pair = {};
    for (const name of names) pair[name] = await measure(stage[name], time);
    pairs.push(pair);
  }
  return pairs;
}

/** `[{ bare: { x }, soleseat: { x } }]` as `{ x: [{ bare, soleseat }] }`. */
function byMetric(pairs) {
  const [first] = pairs;
  return Object.fromEntries(
    Object.keys(first.bare).map((metric) => [
      metric,
      pairs.map(({ bare, soleseat }) => ({ bare: bare[metric], soleseat: soleseat[metric] })),
    ]),
  );
}
