import { hostname, userInfo } from 'node:os';
import Table from 'cli-table3';
import { monotonicMs } from '../base/clock.js';
import { createLog } from '../base/log.js';
import { createMetrics } from '../base/metrics.js';
import { openRedis } from '../compose/redis.js';
import { tokenLife } from '../compose/store.js';
import { textFault } from '../protocol/text.js';
import { causeOf, detailOf } from '../store/causes.js';
import { connectRedis } from '../store/redis.js';
import { createStore, type Store } from '../store/store.js';
import { type ConfigurationSources, loadConfiguration } from './configuration.js';
import { CommandFailure, exitCodes } from './failure.js';

/** As of any name in a token. */
const MAX_NAME_BYTES = 256;

interface OwnerOptions {
  readonly json?: boolean;
}

/** `soleseat owner add`: makes the first owner, at Redis itself. Ends with 69 when Redis cannot be reached. */
export async function addOwner(
  sources: ConfigurationSources,
  name: string,
  options: OwnerOptions,
): Promise<void> {
  const fault = textFault(name, MAX_NAME_BYTES);
  if (fault !== null) throw new CommandFailure(`the name ${fault}`, exitCodes.usage);
  const isNew = await withStore(sources, (store) => store.owners.add(name, Date.now(), whoActs()));
  const done = isNew ? `${name} is an owner now` : `${name} was an owner already`;
  if (options.json) console.log(JSON.stringify({ name, added: isNew }));
  else
    console.log(
      `${done}: admin tokens for all orgs whose sub is ${name} have the role owner, from their next request on.`,
    );
}

/** `soleseat owner remove`. Ends with 1 when there is no such owner. */
export async function removeOwner(
  sources: ConfigurationSources,
  name: string,
  options: OwnerOptions,
): Promise<void> {
  const isGone = await withStore(sources, (store) => store.owners.remove(name, whoActs()));
  if (!isGone)
    throw new CommandFailure(`${name} was not made an owner here: \`soleseat owner list\``, exitCodes.failed);
  if (options.json) console.log(JSON.stringify({ name, removed: true }));
  else console.log(`${name} is no owner any more, unless the token itself has the role owner.`);
}

/** `soleseat owner list`. */
export async function listOwners(sources: ConfigurationSources, options: OwnerOptions): Promise<void> {
  const owners = await withStore(sources, (store) => store.owners.list());
  const rows = owners.map(({ name, since }) => ({ name, since: new Date(since).toISOString() }));
  if (options.json) return console.log(JSON.stringify(rows, null, 2));
  if (rows.length === 0)
    return console.log(
      'Nobody yet: `soleseat owner add <name>` makes the first. Tokens may have the role too.',
    );
  const table = new Table({ head: ['name', 'since'], style: { head: [], border: [] } });
  table.push(...rows.map(({ name, since }) => [name, since]));
  console.log(table.toString());
}

/** In the trail: there is no token here, but somebody at a computer. */
function whoActs() {
  return { name: `${userInfo().username}@${hostname()}`, role: 'redis' };
}

/** Works on Redis itself, without a broker. Ends with 69 when it cannot be reached. */
export async function withStore<T>(
  sources: ConfigurationSources,
  work: (store: Store) => Promise<T>,
): Promise<T> {
  const { settings, redisTls } = loadConfiguration(sources);
  const parts = { log: createLog('silent', 'cli'), metrics: createMetrics() };
  const { commands, subscriber } = openRedis(settings, redisTls, parts);
  try {
    await connectRedis(commands);
    const config = { ...settings, nodeId: 'cli', tokenLifeMs: tokenLife(settings) };
    return await work(createStore({ redis: commands, ...parts, clock: monotonicMs, config }));
  } catch (error) {
    const says = causeOf(error)?.says;
    if (says === undefined) throw error;
    throw new CommandFailure(`${says} (${detailOf(error)})`, exitCodes.unavailable);
  } finally {
    commands.disconnect();
    subscriber.disconnect();
  }
}
