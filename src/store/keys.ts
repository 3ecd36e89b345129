/** The one file that names Redis keys. All of an org shares one hash tag, so a script touches one slot. */
export class KeyNames {
  constructor(private readonly prefix: string) {}

  /** Every org that ever claimed. */
  get orgs(): string {
    return `${this.prefix}orgs`;
  }
  /** nodeId → last heartbeat. */
  get nodes(): string {
    return `${this.prefix}nodes`;
  }
  /** Whoever sets it sweeps this time. */
  get sweepTurn(): string {
    return `${this.prefix}sweep-turn`;
  }
  /** A node's inbox is this and its nodeId. */
  get channelPrefix(): string {
    return `${this.prefix}node:`;
  }
  lease(org: string, user: string): string {
    return this.#of(org, `lease:${user}`);
  }
  epoch(org: string): string {
    return this.#of(org, 'epoch');
  }
  active(org: string): string {
    return this.#of(org, 'active');
  }
  license(org: string, user: string): string {
    return this.#of(org, `license:${user}`);
  }
  licensed(org: string): string {
    return this.#of(org, 'licensed');
  }
  counters(org: string): string {
    return this.#of(org, 'counters');
  }
  events(org: string): string {
    return this.#of(org, 'events');
  }
  machines(org: string, user: string): string {
    return this.#of(org, `machines:${user}`);
  }
  settings(org: string): string {
    return this.#of(org, 'settings');
  }
  /** The lowest epoch that may still hold the user's seat. */
  fence(org: string, user: string): string {
    return this.#of(org, `fence:${user}`);
  }
  /** Takeovers of the user in the current minute. */
  takeovers(org: string, user: string): string {
    return this.#of(org, `takeovers:${user}`);
  }
  /** Claims of the user in the current minute. */
  claims(org: string, user: string): string {
    return this.#of(org, `claims:${user}`);
  }
  /** The answer to a claim, kept for a minute for its retry. */
  request(org: string, requestId: string): string {
    return this.#of(org, `request:${requestId}`);
  }

  #of(org: string, name: string): string {
    return `${this.prefix}{${org}}:${name}`;
  }
}
