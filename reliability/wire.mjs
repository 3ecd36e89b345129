import { once } from 'node:events';
import { connect, createServer } from 'node:net';

/** A TCP forwarder that can break in the ways in which networks do. `target` gives the port to join, or null. */
export class Wire {
  #pairs = new Set();
  #isCutOff = false;
  #server;
  delayMs = 0;

  static async open(target) {
    const wire = new Wire();
    wire.#server = createServer((near) => wire.#join(near, target()));
    wire.#server.listen(0, '127.0.0.1');
    await once(wire.#server, 'listening');
    return wire;
  }

  get port() {
    return this.#server.address().port;
  }

  /** Whatever is open or opened falls silent for good; nothing is closed. */
  cutOff() {
    this.#isCutOff = true;
    for (const pair of this.#pairs) pair.isDead = true;
  }

  /** New connections get through again. */
  heal() {
    this.#isCutOff = false;
  }

  /** Everything that is open breaks at this instant. */
  dropAll() {
    for (const { near, far } of this.#pairs) {
      near.resetAndDestroy();
      far.resetAndDestroy();
    }
  }

  close() {
    this.dropAll();
    this.#server.close();
  }

  /** A wire keeps the order: what was delayed goes before what comes after it, also when the delay has ended. */
  #writeLater(pair, chunk) {
    pair.late.push(chunk);
    setTimeout(() => pair.near.write(pair.late.shift()), this.delayMs);
  }

  #join(near, port) {
    if (port === null) {
      near.on('error', () => {}).destroy();
      return;
    }
    const far = connect(port, '127.0.0.1');
    const pair = { near, far, isDead: this.#isCutOff, late: [] };
    this.#pairs.add(pair);
    near.on('data', (chunk) => pair.isDead || far.write(chunk));
    far.on('data', (chunk) => {
      if (pair.isDead) return;
      if (this.delayMs === 0 && pair.late.length === 0) near.write(chunk);
      else this.#writeLater(pair, chunk);
    });
    const end = () => {
      this.#pairs.delete(pair);
      near.destroy();
      far.destroy();
    };
    for (const socket of [near, far]) socket.on('close', end).on('error', end);
  }
}
