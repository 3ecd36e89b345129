import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pickFreePort } from '../../src/embedded/redis-probe.js';
import { eventually } from './eventually.js';
import { type ProxyName, proxyKinds } from './proxy-kinds.js';
import { toolRecord } from './tools.js';

const configurations = new URL('../../deploy/proxies/', import.meta.url);

const STOP_TIMEOUT_MS = 3_000;

interface ProxyRecord {
  readonly paths: Readonly<Record<ProxyName, string>>;
  readonly libraries: string;
}

/** A real proxy with the configuration that we ship, but for its ports. `npm run test:all` provides it. */
export class RealProxy {
  private constructor(
    private readonly name: ProxyName,
    private readonly child: ChildProcess,
    readonly port: number,
    private readonly folder: string,
  ) {}

  /** `change` is made to the shipped configuration before anything else. */
  static async start(
    name: ProxyName,
    to: { readonly public: number; readonly admin: number },
    change: (shipped: string) => string = (shipped) => shipped,
  ): Promise<RealProxy> {
    const { paths, libraries } = toolRecord<ProxyRecord>('proxies');
    const port = await pickFreePort();
    const folder = mkdtempSync(join(tmpdir(), 'soleseat-proxy-'));
    const { file, args, placed } = proxyKinds[name];
    const shipped = readFileSync(new URL(file, configurations), 'utf8');
    const text = placed(change(shipped), port)
      .replaceAll('127.0.0.1:8080', `127.0.0.1:${to.public}`)
      .replaceAll('127.0.0.1:9090', `127.0.0.1:${to.admin}`)
      .replaceAll('MODULES', join(dirname(paths.apache), '..', 'lib', 'apache2', 'modules'));
    mkdirSync(join(folder, 'logs'));
    const path = join(folder, file);
    writeFileSync(path, text);
    const env = { ...process.env, HOME: folder, LD_LIBRARY_PATH: libraries };
    const child = spawn(paths[name], args(path, folder), {
      cwd: folder,
      env,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let said = '';
    child.stderr?.on('data', (chunk) => {
      said += chunk;
    });
    const proxy = new RealProxy(name, child, port, folder);
    await eventually(`${name} listens`, async () => {
      if (child.exitCode !== null) throw new Error(`${name} ended: ${said}`);
      return proxy.#answers();
    });
    return proxy;
  }

  /** As its operator would, after a change of its configuration. */
  reload(): void {
    this.child.kill(proxyKinds[this.name].reloadBy);
  }

  async stop(): Promise<void> {
    this.child.kill('SIGTERM');
    // Caddy waits for requests that are open, for as long as they are.
    const overdue = setTimeout(() => this.child.kill('SIGKILL'), STOP_TIMEOUT_MS);
    if (this.child.exitCode === null && this.child.signalCode === null) await once(this.child, 'exit');
    clearTimeout(overdue);
    rmSync(this.folder, { recursive: true, force: true });
  }

  #answers(): Promise<boolean> {
    return new Promise((resolve) => {
      const socket = connect(this.port, '127.0.0.1', () => {
        socket.destroy();
        resolve(true);
      }).on('error', () => resolve(false));
    });
  }
}
