import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';

const ANSWER_TIMEOUT_MS = 1_000;
const CLUSTER_BUS_OFFSET = 10_000;
const LAST_PORT = 65_535;
/** Above those that browsers and `fetch` refuse to dial. */
const LOWEST_PORT = 11_000;
const HIGHEST_PORT = 32_000;
const PORT_ATTEMPTS = 100;

export interface RedisAnswer {
  readonly isUp: boolean;
  /** Unknown where a password is asked for. */
  readonly pid?: number;
}

/** Asks whatever listens there for a PING and its process id, over a plain socket. */
export function askRedis(port: number): Promise<RedisAnswer> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    let text = '';
    const finish = (answer: RedisAnswer): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.setEncoding('utf8').setTimeout(ANSWER_TIMEOUT_MS, () => finish({ isUp: false }));
    socket.on('error', () => finish({ isUp: false }));
    socket.on('close', () => finish({ isUp: false }));
    socket.on('connect', () => socket.write('PING\r\nINFO server\r\n'));
    socket.on('data', (chunk: string) => {
      text += chunk;
      if (text.startsWith('-NOAUTH')) return finish({ isUp: true });
      if (text.startsWith('-')) return finish({ isUp: false });
      const pid = /process_id:(\d+)\r/.exec(text)?.[1];
      if (pid !== undefined) finish({ isUp: true, pid: Number(pid) });
    });
  });
}

/**
 * A port that nobody listens on, below those that systems give to outgoing connections (Linux from 32768 on). One of
 * those may be gone before it is used, as soon as somebody dials; and a server that was away may find it taken.
 */
export async function pickFreePort(highest = HIGHEST_PORT): Promise<number> {
  for (let attempt = 0; attempt < PORT_ATTEMPTS; attempt += 1) {
    const port = await tryPort(randomInt(LOWEST_PORT, highest + 1)).catch(() => null);
    if (port !== null) return port;
  }
  return tryPort(0);
}

/** A port for a node of a cluster: its bus listens on the port that is this many above it. */
export async function pickFreeClusterPort(): Promise<number> {
  for (;;) {
    const port = await pickFreePort(HIGHEST_PORT - CLUSTER_BUS_OFFSET);
    if (port + CLUSTER_BUS_OFFSET > LAST_PORT) continue;
    if (await tryPort(port + CLUSTER_BUS_OFFSET).catch(() => null)) return port;
  }
}

/** The port that was free, for 0 some one. Rejects where it is taken. */
async function tryPort(wanted: number): Promise<number> {
  const server = createServer();
  server.listen(wanted, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
