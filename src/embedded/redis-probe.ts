import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';

const ANSWER_TIMEOUT_MS = 1_000;

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

export async function pickFreePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
