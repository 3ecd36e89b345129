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

/** `soleseat node drain`. Ends with 1 where there is no such node. */
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
    const done = left === 'gone' ? 'has ended' : 'is empty';
    console.log(
      waits
        ? `${nodeId} ${done}. It takes no sessions until \`soleseat node undrain\` or its next start.`
        : `${nodeId} is told to drain, and hears so within a second.`,
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

/** By its id, or by the beginning of it where only one begins so. */
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

/** Until the node says that it drains and has no session left, or says nothing any more. */
async function untilEmpty(store: Store, nodeId: string): Promise<'empty' | 'gone'> {
  for (;;) {
    const node = (await store.nodes.list()).find((one) => one.nodeId === nodeId);
    if (node === undefined || !node.isLive) return 'gone';
    if (node.state === 'draining' && node.sessions === 0) return 'empty';
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
