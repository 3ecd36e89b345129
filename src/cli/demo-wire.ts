import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** A machine's way to the broker: a load balancer that tries the nodes in order, and a cable to pull. */
export class Wire {
  readonly #sockets = new Set<Socket>();
  #isCut = false;

  private constructor(
    private readonly server: Server,
    private readonly route: readonly number[],
  ) {
    server.on('connection', (socket) => {
      this.#keep(socket);
      if (this.#isCut) socket.destroy();
      else this.#forward(socket, this.route);
    });
  }

  /** The ports of the nodes, the preferred one first. */
  static async lay(route: readonly number[]): Promise<Wire> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new Wire(server, route);
  }

  get url(): string {
    return `ws://127.0.0.1:${(this.server.address() as AddressInfo).port}/v1/connect`;
  }

  cut(): void {
    this.#isCut = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  mend(): void {
    this.#isCut = false;
  }

  close(): void {
    this.cut();
    this.server.close();
  }

  #forward(socket: Socket, [port, ...others]: readonly number[]): void {
    if (port === undefined || socket.destroyed) {
      socket.destroy();
      return;
    }
    const node = this.#keep(connect({ port, host: '127.0.0.1' }));
    const tryNext = () => this.#forward(socket, others);
    node.once('error', tryNext);
    node.once('connect', () => {
      node.off('error', tryNext);
      socket.pipe(node).pipe(socket);
      socket.once('close', () => node.destroy());
      node.once('close', () => socket.destroy());
    });
  }

  #keep(socket: Socket): Socket {
    this.#sockets.add(socket);
    socket.setNoDelay(true);
    socket.on('error', () => {});
    socket.once('close', () => this.#sockets.delete(socket));
    return socket;
  }
}
