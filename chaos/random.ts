import { createHash } from 'node:crypto';

/** Numbers that a seed determines. Each part draws from a fork of its own, so that none shifts another's. */
export class Random {
  #drawn = 0;

  constructor(readonly name: string) {}

  fork(name: string): Random {
    return new Random(`${this.name}/${name}`);
  }

  /** From 0 up to, not including, 1. */
  next(): number {
    const digest = createHash('sha256')
      .update(`${this.name}#${this.#drawn++}`)
      .digest();
    return digest.readUIntBE(0, 6) / 2 ** 48;
  }

  between(low: number, high: number): number {
    return low + this.next() * (high - low);
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  /** Throws where there is nothing to pick from. */
  pick<T>(list: readonly T[]): T {
    const one = list[Math.floor(this.next() * list.length)];
    if (one === undefined) throw new Error('nothing to pick from');
    return one;
  }

  /** A name, as often as its weight says. */
  weighted<N extends string>(weights: Readonly<Partial<Record<N, number>>>): N {
    const entries = Object.entries(weights) as [N, number][];
    let left = this.next() * entries.reduce((sum, [, weight]) => sum + weight, 0);
    for (const [name, weight] of entries) {
      left -= weight;
      if (left < 0) return name;
    }
    throw new Error('nothing has a weight');
  }

  shuffled<T>(list: readonly T[]): T[] {
    return list
      .map((item) => ({ item, at: this.next() }))
      .sort((a, b) => a.at - b.at)
      .map(({ item }) => item);
  }
}
