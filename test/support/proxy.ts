import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pickFreePort } from '../../src/embedded/redis-probe.js';
import { eventually } from './eventually.js';

const record = new URL('../../.soleseat/proxies.json', import.meta.url);
const configurations = new URL('../../deploy/proxies/', import.meta.url);

export type ProxyName = 'nginx' | 'haproxy' | 'caddy';

const launches: Readonly<
  Record<ProxyName, { readonly file: string; readonly args: (file: string, folder: string) => string[] }>
> = {
  nginx: {
    file: 'nginx.conf',
    args: (file, folder) => [
      '-p',
      folder,
      '-e',
      'stderr',
      '-c',
      file,
      '-g',
      'daemon off; pid nginx.pid; error_log stderr;',
    ],
  },
  haproxy: { file: 'haproxy.cfg', args: (file) => ['-W', '-db', '-f', file] },
  caddy: { file: 'Caddyfile', args: (file) => ['run', '--adapter', 'caddyfile', '--config', file] },
};

/** A real proxy with the configuration that we ship, but for its ports. `npm run test:all` provides it. */
export class RealProxy {
  private constructor(
    private readonly child: ChildProcess,
    readonly port: number,
    private readonly folder: string,
  ) {}

  static async start(
    name: ProxyName,
    to: { readonly public: number; readonly admin: number },
  ): Promise<RealProxy> {
    const { paths, libraries } = JSON.parse(readFileSync(record, 'utf8')) as {
      paths: Record<ProxyName, string>;
      libraries: string;
    };
    const port = await pickFreePort();
    const folder = mkdtempSync(join(tmpdir(), 'soleseat-proxy-'));
    const { file, args } = launches[name];
    const shipped = readFileSync(new URL(file, configurations), 'utf8');
    const text = shipped
      .replaceAll('127.0.0.1:8080', `127.0.0.1:${to.public}`)
      .replaceAll('127.0.0.1:9090', `127.0.0.1:${to.admin}`)
      .replace('listen 80;', `listen 127.0.0.1:${port};`)
      .replace('bind :80', `bind 127.0.0.1:${port}`)
      .replace(':80 {', `http://:${port} {`);
    mkdirSync(join(folder, 'logs'));
    const path = join(folder, file);
    writeFileSync(path, name === 'nginx' ? withOwnFolders(text) : text);
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
    const proxy = new RealProxy(child, port, folder);
    await eventually(`${name} listens`, async () => {
      if (child.exitCode !== null) throw new Error(`${name} ended: ${said}`);
      return proxy.#answers();
    });
    return proxy;
  }

  /** As its operator would, after a change of its configuration. */
  reload(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  async stop(): Promise<void> {
    this.child.kill('SIGTERM');
    if (this.child.exitCode === null && this.child.signalCode === null) await once(this.child, 'exit');
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

/** Where it may write: an unpacked nginx would use the system's folders. */
function withOwnFolders(text: string): string {
  const folders = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (one) => `  ${one}_temp_path ${one};`,
  );
  return text.replace('http {', `http {\n  access_log off;\n${folders.join('\n')}`);
}
