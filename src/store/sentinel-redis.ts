import { Redis, type RedisOptions } from 'ioredis';
import type { RedisAddress } from '../base/redis-url.js';

export type ConnectionOptions = Omit<RedisOptions, 'replyMapping'>;

export interface SentinelWatch {
  readonly masterName: string;
  readonly sentinels: readonly RedisAddress[];
  /** For the connections to the Sentinels. */
  readonly options: ConnectionOptions;
  readonly onError: (error: Error, sentinel: RedisAddress) => void;
  readonly onReady: (sentinel: RedisAddress) => void;
}

/** Sentinels publish "<name> <old host> <old port> <new host> <new port>" there. */
const SWITCHED = '+switch-master';

/**
 * A connection to the master that Sentinels name, which leaves it as soon as one of them names another: a master
 * that was cut off from them may still answer, and all that it grants will be lost. (ioredis has a detector of its
 * own, but that one resubscribes by itself, where a failure ends the process.)
 */
export class SentinelRedis extends Redis {
  readonly #watch: SentinelWatch;
  #watchers: readonly Redis[] = [];

  constructor(options: ConnectionOptions, watch: SentinelWatch) {
    super(options);
    this.#watch = watch;
  }

  /** From the next connection to a Sentinel on. */
  useSentinelCredentials(credentials: {
    readonly username?: string | undefined;
    readonly password?: string | undefined;
  }): void {
    Object.assign(this.#watch.options, credentials);
    for (const watcher of this.#watchers) Object.assign(watcher.options, credentials);
  }

  override connect(): Promise<void> {
    if (this.#watchers.length === 0) this.#watchers = this.#watch.sentinels.map((one) => this.#follow(one));
    return super.connect();
  }

  override disconnect(reconnect = false): void {
    if (!reconnect) for (const watcher of this.#watchers) watcher.disconnect();
    // While it asks the Sentinels, ioredis would take this for the end of it.
    else if (!isMade(this)) return;
    super.disconnect(reconnect);
  }

  #follow(sentinel: RedisAddress): Redis {
    const watcher = new Redis({ ...this.#watch.options, ...sentinel });
    watcher.on('error', (error) => this.#watch.onError(error, sentinel));
    watcher.on('ready', () => {
      this.#watch.onReady(sentinel);
      // The new connection subscribes anew, and its errors are told.
      watcher.subscribe(SWITCHED).catch(() => watcher.disconnect(true));
    });
    watcher.on('message', (_channel: string, text: string) => {
      const [name, , , host = '', port] = text.split(' ');
      if (name === this.#watch.masterName) this.#goTo({ host, port: Number(port) });
    });
    return watcher;
  }

  /** Each Sentinel tells for itself, perhaps later than this connection has found the new master. */
  #goTo(master: RedisAddress): void {
    const leave = () => {
      const { remoteAddress, remotePort } = this.stream;
      if (remoteAddress !== master.host || remotePort !== master.port) this.disconnect(true);
    };
    if (isMade(this)) leave();
    // On its way to where a Sentinel sent it before.
    else this.once('connect', leave);
  }
}

function isMade({ status }: Redis): boolean {
  return status === 'connect' || status === 'ready';
}
