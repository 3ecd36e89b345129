import type { RedisProcess } from '../../../src/embedded/redis-process.js';
import { SetClock } from '../../../src/kit/set-clock.js';
import { tokenFor } from '../../support/node.js';
import { NodeProcess } from '../../support/node-process.js';
import { testRedis } from '../../support/redis.js';
import { TokenServer } from '../../support/token-server.js';
import { toolRecord } from '../../support/tools.js';
import { type Cast, closeCast } from './cast.js';
import { UserJudge } from './judge.js';
import { Seat } from './seat.js';
import type { SeatCommand } from './seat-program.js';

/**
 * Short leases, so that the story is; long enough for a machine that does much else. A broker leaves out a tenth: a program
 * counts on 4.5 s, and that ends while Redis is away for 4 s.
 */
export const TTL_MS = 5_000;
const settings = {
  SOLESEAT_LEASE_TTL_MS: String(TTL_MS),
  SOLESEAT_RENEW_EVERY_MS: '1000',
  SOLESEAT_COMMAND_TIMEOUT_MS: '1500',
  // People take over from each other at each step.
  SOLESEAT_TAKEOVERS_PER_MINUTE: '0',
};

// Written by the set-up of `npm test`: the clocks of a program are set by a small library.
process.env.CC ??= toolRecord<{ readonly path: string }>('compiler').path;

/** A Redis, two brokers, and users whose machines reach the brokers through relays of their own. All are real processes. */
export class Stage {
  readonly casts: Cast[] = [];
  /** The broker to which desks are led. Laptops are led to the other one, as long as it is there. */
  #home = 0;
  readonly #isAway = [false, false];

  private constructor(
    readonly redis: RedisProcess,
    readonly brokers: NodeProcess[],
  ) {}

  static async open(programs: Readonly<Record<string, SeatCommand>>): Promise<Stage> {
    // A Redis that is killed comes back with all that it confirmed.
    const redis = await testRedis(['--appendonly', 'yes', '--appendfsync', 'always']);
    const brokers = await Promise.all([1, 2].map(() => NodeProcess.start(redis.url, settings)));
    const stage = new Stage(redis, brokers);
    const invited = Object.entries(programs).map(([user, command]) => stage.#invite(user, command));
    stage.casts.push(...(await Promise.all(invited)));
    return stage;
  }

  /** The broker at which the desks are. */
  get home(): NodeProcess {
    return this.#at(this.#home);
  }

  /** A load balancer sends nobody to the home of the desks any more. Gives that broker. */
  leaveHome(): NodeProcess {
    const left = this.home;
    this.#isAway[this.#home] = true;
    this.#home = 1 - this.#home;
    return left;
  }

  /** It may be sent clients again. */
  isBack(broker: NodeProcess): void {
    this.#isAway[this.brokers.indexOf(broker)] = false;
  }

  /** Another process on the ports of one that has ended. */
  async startAgain(broker: NodeProcess): Promise<void> {
    const { ports } = broker;
    const index = this.brokers.indexOf(broker);
    this.brokers[index] = await NodeProcess.start(this.redis.url, settings, { ports });
    this.#isAway[index] = false;
  }

  async close(): Promise<void> {
    await Promise.all(this.casts.map(closeCast));
    await Promise.all(this.brokers.map((broker) => broker.kill()));
    await this.redis.stop();
  }

  async #invite(user: string, command: SeatCommand): Promise<Cast> {
    const judge = new UserJudge();
    const tokens = await TokenServer.start(() => tokenFor(user));
    const clock = await SetClock.make();
    const shared = { user, command, tokens };
    const desk = await Seat.open({
      ...shared,
      ...{ machine: 'desk', judge: judge.seat('desk'), clock },
      brokerPort: () => this.home.ports.public,
    });
    const laptop = await Seat.open({
      ...shared,
      ...{ machine: 'laptop', judge: judge.seat('laptop'), clock: null },
      brokerPort: () => this.#at(this.#isAway[1 - this.#home] ? this.#home : 1 - this.#home).ports.public,
    });
    return { user, judge, tokens, clock, desk, laptop };
  }

  #at(index: number): NodeProcess {
    const broker = this.brokers[index];
    if (broker === undefined) throw new Error(`there is no broker ${index}`);
    return broker;
  }
}
