import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

type Role = 'commands' | 'inbox';

interface Pair {
  readonly client: Socket;
  role: Role | null;
  readonly held: Buffer[];
  isDead: boolean;
}

/** Stands between a node and Redis, and can lose or hold what Redis sends on one of its two connections. */
export class RedisProxy {
  /** Replies on the inbox are thrown away: every notice is lost. */
  losesInbox = false;
  /** Redis's clock, as TIME tells it, is ahead by so many seconds. */
  clockAheadSeconds = 0;
  /** Every reply comes so much later. */
  delayMs = 0;
  /** Where Redis is; another one is for connections made from then on. */
  target: string;
  /** How many more commands have to be sent before their replies get through; 0: none are held. */
  #holdsFor = 0;
  #isCutOff = false;
  readonly #pairs = new Set<Pair>();

  private constructor(
    private readonly server: Server,
    readonly url: string,
    target: string,
  ) {
    this.target = target;
  }

  static async start(redisUrl: string): Promise<RedisProxy> {
    const server = createServer((client) => proxy.#join(client));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const proxy: RedisProxy = new RedisProxy(
      server,
      `redis://127.0.0.1:${(server.address() as AddressInfo).port}`,
      redisUrl,
    );
    return proxy;
  }

  /** Replies to commands stay here until they are passed, or until so many more commands have been sent. */
  holdReplies(commands = Number.POSITIVE_INFINITY): void {
    this.#holdsFor = commands;
  }

  passReplies(): void {
    this.#holdsFor = 0;
    for (const { client, held } of this.#pairs) for (const chunk of held.splice(0)) client.write(chunk);
  }

  /** Whatever is open or opened falls silent for good, both ways; nothing is closed. */
  cutOff(): void {
    this.#isCutOff = true;
    for (const pair of this.#pairs) pair.isDead = true;
  }

  /** The connection for commands breaks, with whatever was on its way. */
  breakCommands(): void {
    for (const { client, role } of this.#pairs) if (role === 'commands') client.destroy();
  }

  /** New connections get through again. */
  heal(): void {
    this.#isCutOff = false;
  }

  stop(): void {
    for (const { client } of this.#pairs) client.destroy();
    this.server.close();
  }

  #join(client: Socket): void {
    const redis = connect(Number(new URL(this.target).port), '127.0.0.1');
    const pair: Pair = { client, role: null, held: [], isDead: this.#isCutOff };
    this.#pairs.add(pair);
    client.on('data', (chunk) => {
      // ioredis names its connections with CLIENT SETNAME before anything else.
      if (chunk.includes('soleseat-inbox')) pair.role = 'inbox';
      if (chunk.includes('soleseat-commands')) pair.role = 'commands';
      if (!pair.isDead) redis.write(chunk);
      if (pair.role === 'commands' && this.#holdsFor > 0 && --this.#holdsFor === 0) this.passReplies();
    });
    redis.on('data', (reply) => {
      const chunk = this.clockAheadSeconds === 0 ? reply : setClock(reply, this.clockAheadSeconds);
      if (pair.isDead || (pair.role === 'inbox' && this.losesInbox)) return;
      if (pair.role === 'commands' && this.#holdsFor > 0) pair.held.push(chunk);
      else if (this.delayMs > 0) setTimeout(() => client.write(chunk), this.delayMs);
      else client.write(chunk);
    });
    const end = () => {
      this.#pairs.delete(pair);
      client.destroy();
      redis.destroy();
    };
    for (const socket of [client, redis]) socket.on('close', end).on('error', end);
  }
}

/** The reply of TIME is an array of seconds and microseconds, as text. */
function setClock(reply: Buffer, aheadSeconds: number): Buffer {
  const form = /(\*2\r\n\$10\r\n)(\d{10})(\r\n\$[1-6]\r\n\d{1,6}\r\n)/g;
  const set = (_: string, head: string, seconds: string, rest: string) =>
    `${head}${Number(seconds) + aheadSeconds}${rest}`;
  return Buffer.from(reply.toString('latin1').replace(form, set), 'latin1');
}
