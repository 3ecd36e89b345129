import { useEffect, useState } from 'preact/hooks';
import { call } from '../api/client.js';
import type { NodeRow } from '../api/types.js';
import { counted, numberText } from '../format.js';
import { Badge } from '../parts/badge.js';
import { Empty, Failure, Page } from '../parts/page.js';
import { type Column, Table } from '../parts/table.js';
import { Time } from '../parts/time.js';
import { now } from '../state/clock.js';

const EVERY_MS = 5000;
/** A node says every second that it lives. */
const SILENT_MS = 10_000;

/** The broker nodes on this Redis. */
export function NodesView(_: { readonly org: string }) {
  const [nodes, setNodes] = useState<readonly NodeRow[] | null>(null);
  const [error, setError] = useState<Error | null>(null);
  useEffect(() => {
    let isGone = false;
    async function ask(): Promise<void> {
      if (document.hidden) return;
      try {
        const answer = await call<{ readonly items: readonly NodeRow[] }>('GET', '/v1/admin/nodes');
        if (isGone) return;
        setNodes(answer.items);
        setError(null);
      } catch (failure) {
        if (!isGone) setError(failure as Error);
      }
    }
    void ask();
    const timer = setInterval(() => void ask(), EVERY_MS);
    return () => {
      isGone = true;
      clearInterval(timer);
    };
  }, []);
  const isAlive = ({ lastSeen }: NodeRow) => now.value - Date.parse(lastSeen) < SILENT_MS;
  const columns: readonly Column<NodeRow>[] = [
    { head: 'Node', cell: ({ nodeId }) => <code>{nodeId}</code> },
    {
      head: 'State',
      cell: (node) => (
        <Badge text={isAlive(node) ? 'alive' : 'silent'} tone={isAlive(node) ? 'good' : 'bad'} />
      ),
    },
    { head: 'Last seen', cell: ({ lastSeen }) => <Time at={lastSeen} /> },
    {
      head: 'Sessions',
      kind: 'number',
      cell: ({ sessions }) => (sessions === undefined ? '–' : numberText(sessions)),
    },
  ];
  return (
    <Page
      title="Nodes"
      intro={
        nodes === null
          ? 'Broker processes on this Redis.'
          : `${counted(nodes.length, 'node')} on this Redis, for all orgs together.`
      }
    >
      <Failure error={error} />
      {nodes?.length === 0 && <Empty title="No node is known">A node enters itself when it starts.</Empty>}
      {nodes !== null && nodes.length > 0 && (
        <div class="card flush">
          <Table caption="Nodes" columns={columns} rows={nodes} keyOf={({ nodeId }) => nodeId} />
        </div>
      )}
    </Page>
  );
}
