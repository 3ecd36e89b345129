import { setTimeout as pause } from 'node:timers/promises';
import Table from 'cli-table3';
import type { NodeRecord } from '../store/nodes.js';
import type { Store } from '../store/store.js';
import type { ConfigurationSources } from './configuration.js';
import { CommandFailure, exitCodes } from './failure.js';
import { withStore } from './owners.js';

interface NodeOptions {
  readonly json?: boolean;
}

const LOOK_EVERY_MS = 250;
/** A node that has beaten for so long since it was told has heard. */
const HEARS_WITHIN_MS = 5000;

/** `soleseat node list`. */
export async function listNodes(sources: ConfigurationSources, { json }: NodeOptions): Promise<void> {
  const nodes = await withStore(sources, (store) => store.nodes.list());
  if (json) return console.log(JSON.stringify(nodes, null, 2));
  if (nodes.length === 0) return console.log('No node writes a heartbeat.');
  const table = new Table({
    head: ['node', 'address', 'version', 'sessions', 'state', 'since'],
    style: { head: [], border: [] },
  });
  table.push(...nodes.map(rowOf));
  console.log(table.toString());
}

/** `soleseat node drain`. Ends with 1 where there is no such node, and where it cannot tell that the node is empty. */
export async function drainNode(
  sources: ConfigurationSources,
  name: string,
  { json, wait: waits }: NodeOptions & { readonly wait: boolean },
): Promise<void> {
  await withStore(sources, async (store) => {
    const { nodeId } = await nodeNamed(store, name);
    await store.nodes.drain(nodeId);
    const left = waits ? await untilEmpty(store, nodeId) : null;
    if (json) return console.log(JSON.stringify({ node: nodeId, drained: waits, gone: left === 'gone' }));
    if (left === null) console.log(`${nodeId} is told to drain, and hears so within a second.`);
    else if (left === 'gone') console.log(`${nodeId} has ended.`);
    else
      console.log(
        `${nodeId} is empty. It takes no sessions until \`soleseat node undrain\` or its next start.`,
      );
  });
}

/** `soleseat node undrain`. */
export async function undrainNode(
  sources: ConfigurationSources,
  name: string,
  { json }: NodeOptions,
): Promise<void> {
  const nodeId = await withStore(sources, async (store) => {
    const found = await nodeNamed(store, name);
    await store.nodes.undrain(found.nodeId);
    return found.nodeId;
  });
  console.log(
    json
      ? JSON.stringify({ node: nodeId, drained: false })
      : `${nodeId} takes sessions again within a second.`,
  );
}

/** The node with this id, or the only one whose id begins so. */
async function nodeNamed(store: Store, name: string): Promise<NodeRecord> {
  const nodes = await store.nodes.list();
  const fitting = nodes.filter(({ nodeId }) => nodeId === name || (name !== '' && nodeId.startsWith(name)));
  const [found, another] = fitting.filter(({ nodeId }) => nodeId === name).concat(fitting);
  if (found === undefined)
    throw new CommandFailure(`there is no node ${name}: \`soleseat node list\``, exitCodes.failed);
  if (another !== undefined && another.nodeId !== found.nodeId)
    throw new CommandFailure(`several nodes begin with ${name}: give more of its id`, exitCodes.failed);
  return found;
}

/** Until the node says that it drains and has no session left, or takes itself out of the directory at its end. */
async function untilEmpty(store: Store, nodeId: string): Promise<'empty' | 'gone'> {
  const told = (why: string) =>
    new CommandFailure(`${nodeId} is told to drain, but ${why}`, exitCodes.failed, { node: nodeId });
  let firstMs: number | null = null;
  for (;;) {
    const node = (await store.nodes.list()).find((one) => one.nodeId === nodeId);
    if (node === undefined) return 'gone';
    if (!node.isLive)
      throw told('is silent: it has died, stands still or does not reach Redis. Its sessions may still run.');
    if (node.state === 'draining') {
      if (node.sessions === 0) return 'empty';
    } else {
      firstMs ??= node.lastSeenMs;
      if (node.lastSeenMs - firstMs > HEARS_WITHIN_MS)
        throw told(
          `goes on: somebody may have told it otherwise, or its version (${node.version ?? '0.1'}) knows no such order. SIGTERM drains it.`,
        );
    }
    await pause(LOOK_EVERY_MS);
  }
}

function rowOf({
  nodeId,
  publicAddress,
  version,
  sessions,
  state,
  isLive,
  startedAtMs,
}: NodeRecord): string[] {
  const since = startedAtMs === undefined ? '' : new Date(startedAtMs).toISOString();
  return [
    nodeId,
    publicAddress ?? '',
    version ?? '',
    String(sessions ?? ''),
    isLive ? (state ?? '') : 'silent',
    since,
  ];
}
