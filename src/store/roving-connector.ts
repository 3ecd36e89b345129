import { createConnection, type Socket } from 'node:net';
import { connect as connectEncrypted } from 'node:tls';
import { AbstractConnector } from 'ioredis';
import type { RedisAddress } from '../base/redis-url.js';

const DISCONNECT_WITHIN_MS = 2000;

/** Makes each connection to any one of several servers, and after a failure to another one. */
export function rovingConnector(
  addresses: () => readonly RedisAddress[],
  isEncrypted: boolean,
): new () => AbstractConnector {
  return class extends AbstractConnector {
    #last: RedisAddress | null = null;

    constructor() {
      super(DISCONNECT_WITHIN_MS);
    }

    override async connect(): Promise<Socket> {
      this.connecting = true;
      const all = addresses();
      const others = all.filter(({ host, port }) => host !== this.#last?.host || port !== this.#last.port);
      const choice = others.length > 0 ? others : all;
      const { host, port } = choice[Math.floor(Math.random() * choice.length)] ?? { host: '', port: 0 };
      this.#last = { host, port };
      const stream = isEncrypted ? connectEncrypted({ host, port }) : createConnection({ host, port });
      stream.once('error', (error) => {
        this.firstError = error;
      });
      this.stream = stream;
      return stream;
    }
  };
}
