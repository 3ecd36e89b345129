import type { Doorkeeper } from './doorkeeper.js';
import type { Refusal } from './upgrade.js';

/** Limits by address over several processes that share the public port (`SOLESEAT_WORKERS`). */
export interface GroupDoor {
  /** Counts an attempt, and a connection where no limit is met: then `left` must follow. */
  enter(address: string, isKnown: boolean): Promise<Refusal | null>;
  left(address: string): void;
  /** Counts an attempt that opens no connection. */
  attempted(address: string): Promise<Refusal | null>;
  sawStranger(address: string): void;
}

/** The limits by address as the gateway asks for them: those of this process, and those that a group shares (promise 11). */
export class SharedDoor {
  readonly minds: boolean;
  readonly #group: GroupDoor | null;

  constructor(
    private readonly own: Doorkeeper,
    group: GroupDoor | null,
  ) {
    this.minds = own.minds;
    this.#group = own.minds ? group : null;
  }

  /** Counts an attempt to connect. Where it is let on, `enter` or `turnedAway` must follow. */
  knock(address: string): Refusal | null {
    const refusal = this.own.attempted(address);
    if (refusal !== null) this.turnedAway(address);
    return refusal;
  }

  judge(address: string, isKnown: boolean): Refusal | null {
    return this.own.judge(address, isKnown);
  }

  /** Tells the group of an attempt that this process has refused. */
  turnedAway(address: string): void {
    void this.#group?.attempted(address);
  }

  /** What the group says of whoever knocked; null where there is none, so that nobody waits for it. */
  enter(address: string, isKnown: boolean): Promise<Refusal | null> | null {
    return this.#group?.enter(address, isKnown) ?? null;
  }

  /** True once, where so many connections of one address are open that it looks like a proxy. */
  entered(address: string): boolean {
    return this.own.entered(address);
  }

  /** The connection has ended that `entered` told. */
  left(address: string): void {
    this.own.left(address);
    this.#group?.left(address);
  }

  /** `enter` let it on, and it went before its connection was open. */
  gone(address: string): void {
    this.#group?.left(address);
  }

  sawStranger(address: string): void {
    this.own.sawStranger(address);
    this.#group?.sawStranger(address);
  }

  /** Counts a plain request. */
  async requested(address: string): Promise<Refusal | null> {
    return this.own.attempted(address) ?? (await this.#group?.attempted(address)) ?? null;
  }
}
