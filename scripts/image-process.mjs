import { spawn } from 'node:child_process';
import { chmodSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { root } from './steps.mjs';

const inside = join(root, 'scripts', 'image-process.sh');
/** The user `node` of the image. */
const USER = '1000';

/** Whether this machine lets us do what a container runtime does. */
export const isRoot = process.getuid?.() === 0 && process.platform === 'linux';

/**
 * Starts the process of an image: `{ child, pid(), log() }`. As root as a container runtime would; else as it can be done:
 * what is in the stage cannot be written.
 */
export function startImage({ stage, debian = '-', env }) {
  const [program, ...args] = stage.command;
  const given = { ...stage.env, ...env, PATH: process.env.PATH };
  const node = debian === '-' && program === 'node' ? process.execPath : program;
  if (!isRoot) chmodSync(join(stage.folder, stage.workdir), 0o555);
  const child = isRoot
    ? spawn(inside, [debian, stage.folder, stage.workdir, USER, node, ...args], { env: given })
    : spawn(node, args, { cwd: join(stage.folder, stage.workdir), env: given });
  let log = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text) => {
      log += text;
    });
  return { child, log: () => log, pid: () => (isRoot ? childOf(child.pid) : child.pid) };
}

/** `unshare` has one child: process 1 of the namespace. */
function childOf(pid) {
  const [first] = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ');
  return Number(first);
}

/** What the kernel says of it: `{ uid, isFirst, isReadOnly, capabilities }`. */
export function whatItIs(pid, workdir) {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const mounts = readFileSync(`/proc/${pid}/mountinfo`, 'utf8').trim().split('\n');
  const place = mounts
    .map((line) => line.split(' '))
    .findLast((fields) => fields[4].endsWith(workdir) || fields[4].endsWith('/image'));
  return {
    uid: /^Uid:\s+(\d+)/m.exec(status)[1],
    isFirst: /^NSpid:.*\s1$/m.test(status),
    capabilities: /^CapEff:\s+(\w+)/m.exec(status)[1],
    isReadOnly: place?.[5].split(',').includes('ro') === true,
  };
}

/** A client of the broker: `token` is from `dist/auth`. Resolves with the first message to hello. */
export async function takeSeat(port, { secret, user = 'ada', org = 'acme' }) {
  const { keyRingFromSecret } = await import(pathToFileURL(join(root, 'dist', 'auth', 'read-keys.js')).href);
  const { mintToken } = await import(pathToFileURL(join(root, 'dist', 'auth', 'tokens.js')).href);
  const { default: WebSocket } = await import('ws');
  const [key] = keyRingFromSecret(secret).keys;
  const token = mintToken({
    key,
    user,
    org,
    issuer: 'soleseat',
    audience: 'soleseat',
    expiresInSeconds: 600,
  });
  const ws = new WebSocket(`ws://127.0.0.1:${port}/v1/connect`, 'soleseat.v1', {
    headers: { authorization: `Bearer ${token}` },
  });
  ws.on('open', () => ws.send(JSON.stringify({ type: 'hello', machine: { id: 'pc' } })));
  return new Promise((resolve, reject) => {
    ws.once('message', (data) => resolve({ ws, message: JSON.parse(data) }));
    ws.once('error', reject);
    ws.once('close', (code) => reject(new Error(`closed with ${code}`)));
  });
}
