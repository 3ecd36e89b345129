import { createConnection, isIP, type Socket } from 'node:net';
import { connect as connectEncrypted, type ConnectionOptions as TlsOptions } from 'node:tls';
import { AbstractConnector, type RedisOptions, SentinelConnector } from 'ioredis';
import type { RedisAddress } from '../base/redis-url.js';

/** How servers and Sentinels are met under TLS; what is not given is the system's. PEM. */
export interface RedisTls {
  /** The authorities that may sign their certificates. */
  readonly ca?: string;
  /** Our own certificate, where they ask for one, with its key. */
  readonly cert?: string;
  readonly key?: string;
  /** The name that all of them have in their certificates, in place of the host that is dialled. */
  readonly servername?: string;
}

/** Gives what is good at the moment of a connection; null where there is no TLS. */
export type TlsNow = () => RedisTls | null;

type ConnectorClass = new (options: unknown) => AbstractConnector;

const DISCONNECT_WITHIN_MS = 2000;

/** Connects to the host of its options: a single server, each server of a cluster, and each Sentinel. */
export function directConnector(tls: TlsNow): ConnectorClass {
  return connectorTo(({ host = '', port = 0 }) => ({ host, port }), tls);
}

/** Makes each connection to any one of several servers, and after a failure to another one. */
export function rovingConnector(addresses: () => readonly RedisAddress[], tls: TlsNow): ConnectorClass {
  let last: RedisAddress | null = null;
  return connectorTo(() => {
    const all = addresses();
    const others = all.filter(({ host, port }) => host !== last?.host || port !== last.port);
    const choice = others.length > 0 ? others : all;
    last = choice[Math.floor(Math.random() * choice.length)] ?? { host: '', port: 0 };
    return last;
  }, tls);
}

/** Makes each connection to the address that is chosen for it. */
function connectorTo(choose: (options: RedisOptions) => RedisAddress, tls: TlsNow): ConnectorClass {
  return class extends AbstractConnector {
    readonly #options: RedisOptions;

    constructor(options: unknown) {
      super(DISCONNECT_WITHIN_MS);
      this.#options = options as RedisOptions;
    }

    override async connect(): Promise<Socket> {
      this.connecting = true;
      const { host, port } = choose(this.#options);
      this.stream = open({ host, port, family: this.#options.family ?? 0 }, tls(), (error) => {
        this.firstError = error;
      });
      return this.stream as Socket;
    }
  };
}

/** What ioredis keeps to itself: where its connections to Sentinels are made, and where one of them names the master. */
interface Inside {
  connectToSentinel(endpoint: Partial<RedisAddress>, more?: object): unknown;
  resolve(endpoint: Partial<RedisAddress>): Promise<RedisAddress | null>;
}

/** Connects to the master that Sentinels name. Under TLS each is asked for by its own name. */
export function sentinelConnector(tls: TlsNow): ConnectorClass {
  const Direct = directConnector(tls);
  const inside = SentinelConnector.prototype as unknown as Inside;
  return class extends SentinelConnector {
    constructor(options: unknown) {
      super(options as ConstructorParameters<typeof SentinelConnector>[0]);
      const overridden: Inside = {
        connectToSentinel: (endpoint, more) =>
          inside.connectToSentinel.call(this, endpoint, { ...more, Connector: Direct }),
        resolve: async (endpoint) => {
          const master = await inside.resolve.call(this, endpoint);
          const now = tls();
          if (master !== null && now !== null)
            Object.assign(this.options, { tls: tlsOptions(master.host, now) });
          return master;
        },
      };
      Object.assign(this, overridden);
    }
  };
}

function open(
  address: RedisAddress & { readonly family: number },
  tls: RedisTls | null,
  onError: (error: Error) => void,
): Socket {
  const stream =
    tls === null
      ? createConnection(address)
      : connectEncrypted({ ...address, ...tlsOptions(address.host, tls) });
  stream.once('error', onError);
  return stream;
}

/** A server behind a name needs to hear it (RFC 6066 section 3), and an address is no name. */
function tlsOptions(host: string, { servername, ...material }: RedisTls): TlsOptions {
  const name = servername ?? (isIP(host) === 0 ? host : undefined);
  return { ...material, ...(name !== undefined && { servername: name }) };
}
