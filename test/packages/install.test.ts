import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build as bundleWithEsbuild } from 'esbuild';
import type { Browser } from 'playwright-core';
import { build as bundleWithVite } from 'vite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pickFreePort } from '../../src/embedded/redis-probe.js';
import { openBrowser, openPage } from '../support/browser.js';
import { ended } from '../support/command.js';
import { eventually } from '../support/eventually.js';
import { casesOf } from '../support/scope.js';
import { browserFiles, nodePrograms, typedProgram } from './programs.js';
import { environment, Workshop } from './workshop.js';

const root = resolve(import.meta.dirname, '..', '..');
/** What a browser has to load, compressed. Tickets and leaves are in a module of their own. */
const LARGEST_BUNDLE = 9 * 1024;
const seatTaken = /^seat [0-9a-f-]{36} closed$/;

/** Other ways to install packages, each from an empty folder: npm gets the programs themselves. */
const managers = [
  ['pnpm', ['--yes', 'pnpm@10', 'add']],
  // On Node 20 one of Fastify's packages asks for a newer Node, which yarn alone takes for a fault.
  ['yarn', ['--yes', 'yarn@1', 'add', '--no-progress', '--ignore-engines']],
] as const;

const workshop = new Workshop();
let tarballs: readonly string[];
let broker: ChildProcess;
let said = '';
let pages: Server;
let origin: string;
let url: string;

beforeAll(async () => {
  tarballs = await workshop.pack();
  workshop.write({ 'package.json': '{"name": "example", "version": "1.0.0", "private": true}' });
  // As a person would, scripts and all.
  await workshop.run('npm', 'install', '--no-audit', '--no-fund', ...tarballs);
  for (const { file, text } of Object.values(nodePrograms)) workshop.write({ [file]: text });
  workshop.write(browserFiles);
  pages = await servePages(join(workshop.folder, 'dist-esbuild'));
  origin = `http://127.0.0.1:${(pages.address() as AddressInfo).port}`;
  await startDev();
});

afterAll(async () => {
  pages.close();
  // Ctrl+C, which a terminal sends to npx and to what it runs.
  if (broker.pid !== undefined) process.kill(-broker.pid, 'SIGINT');
  await once(broker, 'close');
  workshop.clear();
});

/** `npx soleseat dev` in the folder of the program. */
async function startDev(): Promise<void> {
  const port = await pickFreePort();
  url = `ws://127.0.0.1:${port}`;
  broker = spawn('npx', ['soleseat', 'dev', '--no-office'], {
    cwd: workshop.folder,
    detached: true,
    env: {
      ...environment(),
      SOLESEAT_PORT: String(port),
      SOLESEAT_ADMIN_PORT: String(await pickFreePort()),
      SOLESEAT_ORIGINS: origin,
    },
  });
  for (const stream of [broker.stdout, broker.stderr]) {
    stream?.setEncoding('utf8').on('data', (text) => {
      said += text;
    });
  }
  await eventually(
    'soleseat dev to run, or to end',
    () => said.includes('Ctrl+C') || broker.exitCode !== null,
  );
  expect(broker.exitCode, said).toBeNull();
}

/** A token of the one or the other user that `dev` prints. */
function tokenOf(user: 'ADA' | 'GRACE'): string {
  return new RegExp(`^ *${user}=(\\S+)$`, 'm').exec(said)?.[1] ?? '';
}

function servePages(folder: string): Promise<Server> {
  const server = createServer((request, response) => {
    const path = join(folder, new URL(request.url ?? '/', 'http://pages').pathname);
    if (!existsSync(path)) {
      response.writeHead(404).end();
      return;
    }
    const type = extname(path) === '.html' ? 'text/html' : 'text/javascript';
    response.writeHead(200, { 'content-type': type }).end(readFileSync(path));
  });
  return new Promise((done) => server.listen(0, '127.0.0.1', () => done(server)));
}

describe('the packages, installed in an empty folder', () => {
  it('bring no install script along, and no Redis of their own', () => {
    const lock = JSON.parse(readFileSync(join(workshop.folder, 'package-lock.json'), 'utf8'));
    const entries = Object.entries<{ hasInstallScript?: boolean }>(lock.packages);
    expect(entries.filter(([, one]) => one.hasInstallScript).map(([name]) => name)).toEqual([]);
    expect(entries.map(([name]) => name)).not.toContain('node_modules/redis-memory-server');
  });

  it('name the license of each', () => {
    const licenseOf = (name: string) =>
      JSON.parse(readFileSync(join(workshop.folder, 'node_modules', name, 'package.json'), 'utf8')).license;
    expect(licenseOf('@soleseat/client')).toBe('Apache-2.0');
    const text = readFileSync(join(workshop.folder, 'node_modules/@soleseat/client/LICENSE'), 'utf8');
    expect(text).toContain('Apache License');
  });

  it('show the command that goes on from there', () => {
    expect(said).toContain('npx soleseat connect --url');
  });

  it('say how to install a Redis where there is none, and end with 69', async () => {
    const main = join(workshop.folder, 'node_modules', 'soleseat', 'dist', 'cli', 'main.js');
    const child = spawn(process.execPath, [main, 'dev'], {
      cwd: workshop.folder,
      env: { PATH: join(workshop.folder, 'nothing') },
    });
    const { code, err } = await ended(child);
    expect(code).toBe(69);
    expect(err).toMatch(/no redis-server.*apt-get install redis-server.*SOLESEAT_REDIS_SERVER/s);
  });

  it.for(Object.entries(nodePrograms))('take a seat from %s', async ([, { file }]) => {
    const child = spawn(process.execPath, [file], {
      cwd: workshop.folder,
      env: { ...environment(), SEAT_URL: url, SEAT_TOKEN: tokenOf('ADA') },
    });
    let out = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (out += text));
    await once(child, 'close');
    expect(out.trim()).toMatch(seatTaken);
  });
});

describe('the packages, otherwise', () => {
  // In `npm test` npm alone, above.
  it.for(casesOf(managers, () => false))('take a seat where %s installed them', async ([, command]) => {
    const other = new Workshop();
    other.write({ 'package.json': '{"name": "other", "version": "1.0.0"}' });
    await other.run('npx', ...command, ...tarballs.map((path) => `file:${path}`));
    const { file, text } = nodePrograms['an ES module'];
    other.write({ [file]: text });
    const env = [`SEAT_URL=${url}`, `SEAT_TOKEN=${tokenOf('ADA')}`];
    expect((await other.run('env', ...env, process.execPath, file)).trim()).toMatch(seatTaken);
    other.clear();
  });

  it.for(casesOf(['a fresh clone'], () => false))('are the same from %s', async () => {
    const packed = await workshop.pack(await workshop.cloneProject(), 'from-clone');
    for (const [index, path] of packed.entries()) {
      const names = await namesIn(path);
      expect(names.length).toBeGreaterThan(50);
      expect(names).toEqual(await namesIn(tarballs[index] ?? ''));
    }
  });

  it('hold a README and a license each', async () => {
    for (const path of tarballs) {
      const names = (await namesIn(path)).join('\n');
      expect(names).toContain('README.md');
      expect(names).toContain('LICENSE');
    }
  });
});

async function namesIn(tarball: string): Promise<readonly string[]> {
  return (await workshop.run('tar', '-tzf', tarball)).split('\n').sort();
}

describe('the types', () => {
  const newest = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  const older = join(root, 'node_modules', 'typescript-5', 'bin', 'tsc');
  it.for([
    ['node16', 'program.mts', newest, 'node16', 'node16'],
    ['nodenext, from a CommonJS module', 'program.cts', newest, 'nodenext', 'nodenext'],
    ['bundler', 'program.ts', newest, 'esnext', 'bundler'],
    ['old resolution (TypeScript 5)', 'program.ts', older, 'commonjs', 'node10'],
  ] as const)('hold under %s', async ([, file, compiler, module, resolution]) => {
    workshop.write({ [file]: typedProgram });
    const flags = ['--strict', '--noEmit', '--target', 'es2022', '--lib', 'es2022,dom'];
    const how = ['--module', module, '--moduleResolution', resolution];
    await workshop.run(process.execPath, compiler, ...flags, ...how, file);
  });
});

describe('in a browser', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await openBrowser();
    await bundleWithEsbuild({
      absWorkingDir: workshop.folder,
      entryPoints: ['page.js', 'worker.js', 'with-worker.js', 'index.html', 'with-worker.html'],
      loader: { '.html': 'copy' },
      outdir: 'dist-esbuild',
      bundle: true,
      format: 'esm',
      minify: true,
      platform: 'browser',
      logLevel: 'error',
    });
  });
  afterAll(() => browser.close());

  it.for([
    ['a page', 'index.html'],
    ['a web worker', 'with-worker.html'],
  ] as const)('%s takes a seat', async ([, file]) => {
    const { page, errors } = await openPage(browser);
    const query = new URLSearchParams({ url, token: tokenOf('GRACE') });
    await page.goto(`${origin}/${file}?${query}`);
    await eventually('the title to say how it went', async () => (await page.title()) !== '-');
    expect(await page.title()).toMatch(seatTaken);
    expect(errors).toEqual([]);
    await page.context().close();
  });

  it('it is under 9 KB compressed, whichever bundler makes it', async () => {
    workshop.write({ 'only.js': "export { connect } from '@soleseat/client';" });
    await bundleWithVite({
      root: workshop.folder,
      configFile: false,
      logLevel: 'error',
      build: {
        outDir: 'dist-vite',
        rolldownOptions: {
          input: join(workshop.folder, 'only.js'),
          preserveEntrySignatures: 'strict',
          output: { entryFileNames: 'only.js' },
        },
        minify: true,
      },
    });
    const viteBundle = readFileSync(join(workshop.folder, 'dist-vite', 'only.js'));
    const { outputFiles } = await bundleWithEsbuild({
      absWorkingDir: workshop.folder,
      entryPoints: ['only.js'],
      bundle: true,
      format: 'esm',
      minify: true,
      platform: 'browser',
      write: false,
    });
    for (const bundle of [viteBundle, outputFiles[0]?.contents ?? '']) {
      const bytes = gzipSync(bundle, { level: 9 }).length;
      expect(bytes).toBeGreaterThan(1_000);
      expect(bytes).toBeLessThan(LARGEST_BUNDLE);
    }
  });
});
