import type { NodeRow } from '../api/types.js';
import { counted, numberText } from '../format.js';
import { Badge } from '../parts/badge.js';
import { Empty, Failure, Page } from '../parts/page.js';
import { type Column, Table } from '../parts/table.js';
import { Time } from '../parts/time.js';
import { maySeeNodes, nodeState, useNodes } from '../state/nodes.js';

const columns: readonly Column<NodeRow>[] = [
  { head: 'Node', cell: ({ nodeId }) => <code>{nodeId}</code> },
  { head: 'State', cell: (node) => <Badge {...nodeState(node)} /> },
  {
    head: 'Sessions',
    kind: 'number',
    cell: ({ sessions }) => (sessions === undefined ? '–' : numberText(sessions)),
  },
  { head: 'Address', cell: ({ publicAddress }) => publicAddress ?? '–' },
  { head: 'Version', cell: ({ version }) => version ?? '–' },
  { head: 'Started', cell: ({ startedAt }) => (startedAt === undefined ? '–' : <Time at={startedAt} />) },
  { head: 'Last seen', cell: ({ lastSeen }) => <Time at={lastSeen} /> },
];

/** The broker nodes on this Redis. */
export function NodesView(_: { readonly org: string }) {
  const { nodes, error } = useNodes();
  const intro =
    nodes === null
      ? 'Broker processes on this Redis.'
      : `${counted(nodes.length, 'node')} on this Redis, for all orgs together.`;
  return (
    <Page title="Nodes" intro={intro}>
      <Failure error={error} />
      {!maySeeNodes() && <Empty title="Not for this token">Nodes are shown to a token for all orgs.</Empty>}
      {nodes?.length === 0 && <Empty title="No node is known">A node enters itself when it starts.</Empty>}
      {nodes !== null && nodes.length > 0 && (
        <div class="card flush">
          <Table caption="Nodes" columns={columns} rows={nodes} keyOf={({ nodeId }) => nodeId} />
        </div>
      )}
    </Page>
  );
}
