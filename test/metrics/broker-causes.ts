import { mkdtempSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { keyRingFromText } from '../../src/auth/read-keys.js';
import { mintToken } from '../../src/auth/tokens.js';
import type { brokerMetrics } from '../../src/base/metrics/broker.js';
import { frame, opcodes, RawPeer } from '../gateway/raw-socket.js';
import { selfSigned } from '../support/certificate.js';
import { Desktop } from '../support/desktop.js';
import { eventually } from '../support/eventually.js';
import { tokenFor } from '../support/node.js';
import type { Cause, Stage } from './stage.js';

const keyFile = join(mkdtempSync(join(tmpdir(), 'soleseat-keys-')), 'keys.json');

const nothing = {
  keys: null,
  adminKeys: null,
  ticketKeys: null,
  tls: null,
  redisTls: null,
  logLevel: 'silent',
};
const [first, second] = [selfSigned('491231235959Z'), selfSigned('401231235959Z')];

async function takeOver(stage: Stage): Promise<void> {
  const loser = await stage.seat('ada', 'workstation');
  await stage.seat('ada', 'laptop');
  await loser.close();
}

async function freezeRedis(stage: Stage): Promise<void> {
  await stage.seat('ada');
  stage.redis.kill('SIGSTOP');
}

/** A peer that has its seat, floods the node with pings and never reads the pongs. */
async function floodUnread({ node }: Stage): Promise<void> {
  const peer = await RawPeer.open(node.ports.public, tokenFor('deaf'));
  peer.say({ type: 'hello', machine: { id: 'raw' } });
  await peer.told('welcome');
  peer.socket.pause();
  const ping = frame({ opcode: opcodes.ping, payload: 'x'.repeat(125) });
  const pings = Buffer.concat(Array.from({ length: 4000 }, () => ping));
  await eventually(async () => {
    peer.write(pings);
    peer.say({ type: 'activity' });
    const { values } = await node.metrics.closes.get();
    return values.some(({ labels, value }) => labels.code === 4008 && value > 0);
  });
  peer.socket.destroy();
}

async function fillTheAddress(stage: Stage): Promise<void> {
  await stage.seat('ada');
  await Desktop.open(stage.node.ports.public, tokenFor('eve')).catch(() => {});
}

/** What makes each metric of a node move. */
export const brokerCauses = {
  workerSessions: {
    series: 'soleseat_worker_sessions{worker="1"}',
    happen: async (stage) => void (await stage.seat('ada')),
  },
  workerCpu: {
    series: 'soleseat_worker_cpu_seconds{worker="1"}',
    happen: async (stage) => void (await stage.seat('ada')),
  },
  workerMemory: {
    series: 'soleseat_worker_memory_bytes{worker="1"}',
    happen: async (stage) => void (await stage.seat('ada')),
    isMoved: (after, before) => after !== before,
  },
  ready: {
    series: 'soleseat_ready',
    ruinsRedis: true,
    happen: async ({ redis }) => redis.kill('SIGKILL'),
    isMoved: (after, before) => before === 1 && after === 0,
  },
  connections: {
    series: 'soleseat_connections',
    happen: ({ node }) => Desktop.open(node.ports.public, tokenFor('ada')),
  },
  sessions: { series: 'soleseat_sessions', happen: (stage) => stage.seat('ada') },
  claims: { series: 'soleseat_claims_total{outcome="granted"}', happen: (stage) => stage.seat('ada') },
  denials: {
    series: 'soleseat_claim_denials_total{reason="license_required"}',
    settings: { SOLESEAT_LICENSE_MODE: 'required' },
    happen: (stage) => stage.dial('ada', 'workstation'),
  },
  overdrafts: {
    series: 'soleseat_seat_overdrafts_total',
    happen: async (stage) => {
      await stage.store.hset('soleseat:{acme}:settings', { maxActive: '1', maxActiveOverdraft: '100' });
      await stage.seat('ada');
      await stage.seat('bob');
    },
  },
  claimSeconds: { series: 'soleseat_claim_duration_seconds_count', happen: (stage) => stage.seat('ada') },
  evictions: {
    series: 'soleseat_evictions_total{reason="taken_over",path="local"}',
    happen: takeOver,
  },
  evictionSeconds: { series: 'soleseat_eviction_latency_seconds_count', happen: takeOver },
  evictionReceiptSeconds: { series: 'soleseat_eviction_receipt_seconds_count', happen: takeOver },
  renewals: { series: 'soleseat_renewals_total{outcome="kept"}', happen: (stage) => stage.seat('ada') },
  jeopardy: { series: 'soleseat_sessions_in_jeopardy', happen: freezeRedis },
  jeopardies: { series: 'soleseat_jeopardies_total', happen: freezeRedis },
  closes: {
    series: 'soleseat_closes_total{code="4408"}',
    settings: { SOLESEAT_HELLO_TIMEOUT_MS: '50' },
    happen: ({ node }) => Desktop.open(node.ports.public, tokenFor('silent')),
  },
  slowConsumers: {
    series: 'soleseat_slow_consumers_total',
    settings: { SOLESEAT_QUEUE_BYTES: '1024', SOLESEAT_MESSAGES_PER_RENEWAL: '1000000000' },
    happen: floodUnread,
  },
  messagesReceived: {
    series: 'soleseat_messages_received_total{type="hello"}',
    happen: (stage) => stage.seat('ada'),
  },
  messagesSent: {
    series: 'soleseat_messages_sent_total{type="welcome"}',
    happen: (stage) => stage.seat('ada'),
  },
  receivedBytes: {
    series: 'soleseat_messages_received_bytes_total',
    happen: (stage) => stage.seat('ada'),
    isMoved: (after) => after > 'hello workstation'.length,
  },
  sentBytes: {
    series: 'soleseat_messages_sent_bytes_total',
    happen: (stage) => stage.seat('ada'),
    isMoved: (after) => after > 'welcome sessionId'.length,
  },
  pingSeconds: { series: 'soleseat_ping_round_trip_seconds_count', happen: (stage) => stage.seat('ada') },
  refusals: {
    series: 'soleseat_handshake_refusals_total{status="404"}',
    happen: ({ node }) => fetch(`http://127.0.0.1:${node.ports.public}/nowhere`),
  },
  admissionRefusals: {
    series: 'soleseat_admission_refusals_total{limit="address"}',
    settings: { SOLESEAT_CONNECTIONS_PER_ADDRESS: '1' },
    happen: fillTheAddress,
  },
  tokenFailures: {
    series: 'soleseat_token_failures_total{reason="missing"}',
    happen: async ({ node }) => {
      const desktop = await Desktop.open(node.ports.public, null);
      desktop.say({ type: 'hello', machine: { id: 'workstation' } });
    },
  },
  tokenKeys: {
    series: 'soleseat_token_keys{audience="client"}',
    settings: { SOLESEAT_JWT_KEYS: keyFile },
    happen: readKeys,
  },
  keyReads: {
    series: 'soleseat_token_key_reads_total{outcome="ok"}',
    settings: { SOLESEAT_JWT_KEYS: keyFile },
    happen: readKeys,
  },
  certificateEnd: {
    series: 'soleseat_certificate_expires_timestamp_seconds{certificate="public"}',
    tls: first,
    happen: async ({ node, proxy }) => node.renew({ ...nothing, tls: second, redisUrl: proxy.url }),
    isMoved: (after, before) => after < before,
  },
} satisfies Record<keyof typeof brokerMetrics, Cause>;

/** Two keys, where the node had one; then a token of a third. */
async function readKeys({ node, proxy }: Stage): Promise<void> {
  const keys = ['a', 'b'].map((kid) => ({ kty: 'oct', kid, k: Buffer.alloc(32, kid).toString('base64url') }));
  const text = JSON.stringify({ keys });
  await writeFile(keyFile, text);
  node.renew({ ...nothing, keys: keyRingFromText(text), redisUrl: proxy.url });
  const [key] = keyRingFromText(text.replaceAll('"a"', '"c"')).keys;
  if (key === undefined) throw new Error('no key');
  const rules = { issuer: 'soleseat', audience: 'soleseat', expiresInSeconds: 60 };
  const desktop = await Desktop.open(node.ports.public, null);
  const token = mintToken({ key, user: 'ada', org: 'acme', ...rules });
  desktop.say({ type: 'hello', machine: { id: 'workstation' }, token });
  await desktop.close();
}
