import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';

/**
 * Says that it is a Redis of that version, with a clock that is off by so much, and knows nothing but INFO and TIME: no
 * old one can be had for a test, nor one whose clock is wrong.
 */
export async function pretendRedis(
  version: string,
  clockOffMs = 0,
): Promise<{ readonly url: string; stop(): void }> {
  const info = `# Server\r\nredis_version:${version}\r\nloading:0\r\n`;
  const timeOf = (ms: number) => `*2\r\n:${Math.floor(ms / 1000)}\r\n:${(ms % 1000) * 1000}\r\n`;
  const answers: Readonly<Record<string, string>> = {
    INFO: `$${info.length}\r\n${info}\r\n`,
    CLIENT: '+OK\r\n',
    PING: '+PONG\r\n',
  };
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      // A command begins with "*<words>", and its name is the first word after that.
      for (const [, name = ''] of String(chunk).matchAll(/\*\d+\r\n\$\d+\r\n([A-Za-z]+)\r\n/g)) {
        const answer = name.toUpperCase() === 'TIME' ? timeOf(Date.now() + clockOffMs) : undefined;
        socket.write(answer ?? answers[name.toUpperCase()] ?? `-ERR unknown command '${name}'\r\n`);
      }
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `redis://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: () => void server.close(),
  };
}
