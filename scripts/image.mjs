/**
 * npm run image: does what the Dockerfile says, without Docker, in an empty Debian that has Node and nothing else, and takes a
 * seat at the node that comes out of it. It takes root on Debian or Ubuntu, and some minutes.
 */
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { DebianRoot } from './debian-root.mjs';
import { startImage, takeSeat, whatItIs } from './image-process.mjs';
import { buildStages, readDockerfile } from './image-steps.mjs';
import { setup } from './setup.mjs';
import { createSteps, fail, npm, root, run } from './steps.mjs';

const { step } = createSteps();
const READY_WITHIN_MS = 60_000;
const inRoot = join(root, 'scripts', 'in-root.sh');

async function main() {
  await setup({ quiet: true });
  const [{ image }] = readDockerfile();
  const [, version, suite] = /^node:(\d+)-(\w+)/.exec(image) ?? [];
  if (suite === undefined) throw new Error(`${image} is no image of Node on a Debian`);
  const hint = 'It takes root on Debian or Ubuntu.';
  const debian = await step(`an empty Debian ${suite}`, hint, (say) => DebianRoot.prepare(suite, say));
  await step(`Node ${version} in it`, 'npm ping', () => installNode(debian, version));
  const into = mkdtempSync(join(tmpdir(), 'soleseat-image-'));
  try {
    spawnSync('chmod', ['755', into]);
    const stage = await step('the steps of the Dockerfile', 'The command above says what is wrong.', (say) =>
      buildStages({ into, onStep: say, runIn: (...order) => runInDebian(debian, ...order) }),
    );
    console.log(await step('a seat', 'The log above says what is wrong.', () => tryOut(stage, debian)));
  } finally {
    rmSync(into, { recursive: true, force: true });
  }
}

/** What the image of Node brings: node, and npm. */
async function installNode(debian, version) {
  await debian.install(['ca-certificates']);
  // Where the registry is reached through a proxy of this network, its authority is not among Debian's.
  const extra = process.env.NODE_EXTRA_CA_CERTS;
  if (extra) {
    mkdirSync(join(debian.folder, dirname(extra)), { recursive: true });
    cpSync(extra, join(debian.folder, extra), { dereference: true });
  }
  const name = `node-${process.platform}-${process.arch}`;
  const folder = join(root, '.soleseat', `node-${version}`);
  mkdirSync(folder, { recursive: true });
  await npm([
    'install',
    '--prefix',
    folder,
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
    `${name}@${version}`,
    'npm@latest',
  ]);
  const local = join(debian.folder, 'usr', 'local');
  mkdirSync(join(local, 'lib', 'node_modules'), { recursive: true });
  cpSync(join(folder, 'node_modules', name, 'bin', 'node'), join(local, 'bin', 'node'));
  const npmFolder = join(local, 'lib', 'node_modules', 'npm');
  rmSync(npmFolder, { recursive: true, force: true });
  cpSync(join(folder, 'node_modules', 'npm'), npmFolder, { recursive: true, verbatimSymlinks: true });
  await debian.run('ln', ['-sf', '../lib/node_modules/npm/bin/npm-cli.js', '/usr/local/bin/npm']);
}

/** The stage's folder stands at its place in the Debian, and nothing of this machine is in reach but the network and npm's settings. */
function runInDebian(debian, folder, workdir, command, env) {
  const place = join(debian.folder, workdir);
  mkdirSync(place, { recursive: true });
  const line = `mount --bind '${join(folder, workdir)}' '${place}' && exec '${inRoot}' '${debian.folder}' '${root}' sh -c 'cd ${workdir} && exec "$@"' sh sh -c "$COMMAND"`;
  const told = Object.keys(process.env).filter((name) =>
    /^(npm_lifecycle|npm_package|npm_command|NODE_ENV)/i.test(name),
  );
  const plain = Object.fromEntries(told.map((name) => [name, undefined]));
  return run('unshare', ['--mount', '--propagation', 'private', 'sh', '-c', line], {
    env: { ...plain, ...env, COMMAND: command },
  });
}

async function tryOut(stage, debian) {
  const load = (file) => import(pathToFileURL(join(root, 'dist', 'embedded', file)).href);
  const { provisionRedis } = await load('find-redis.js');
  const { startRedis } = await load('redis-process.js');
  const { pickFreePort } = await load('redis-probe.js');
  const redis = await startRedis({ binary: (await provisionRedis()).path });
  const secret = randomBytes(32).toString('base64url');
  const [port, adminPort] = [await pickFreePort(), await pickFreePort()];
  const env = {
    REDIS_URL: redis.url,
    SOLESEAT_JWT_SECRET: secret,
    SOLESEAT_LICENSE_MODE: 'open',
    SOLESEAT_PORT: String(port),
    SOLESEAT_ADMIN_PORT: String(adminPort),
    SOLESEAT_DRAIN_MS: '200',
  };
  const image = startImage({ stage, debian: debian.folder, env });
  try {
    await ready(adminPort, image);
    const { message } = await takeSeat(port, { secret });
    const is = whatItIs(image.pid(), stage.workdir);
    process.kill(image.pid(), 'SIGTERM');
    while (image.child.exitCode === null) await pause(50);
    const said = JSON.stringify({ answer: message.type, ...is, endedWith: image.child.exitCode });
    const isRight = message.type === 'welcome' && is.isFirst && is.isReadOnly && image.child.exitCode === 0;
    if (!isRight) throw new Error(`${said}\n${image.log()}`);
    return said;
  } finally {
    image.child.kill('SIGKILL');
    await redis.stop();
  }
}

async function ready(port, image) {
  const deadline = performance.now() + READY_WITHIN_MS;
  for (;;) {
    const answer = await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => null);
    if (answer?.ok) return;
    if (image.child.exitCode !== null || performance.now() > deadline)
      throw new Error(`it is not ready:\n${image.log()}`);
    await pause(100);
  }
}

await main().catch(fail);
