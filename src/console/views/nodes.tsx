import type { NodeRow } from '../api/types.js';
import { absoluteText, counted, numberText } from '../format.js';
import { Badge } from '../parts/badge.js';
import { Empty, Failure, Page } from '../parts/page.js';
import { type Column, Table } from '../parts/table.js';
import { Time } from '../parts/time.js';
import { maySeeNodes, nodeState, unknown, useNodes } from '../state/nodes.js';

/** While the nodes cannot be asked for, nothing is claimed of this moment. */
function columnsOf(isKnown: boolean): readonly Column<NodeRow>[] {
  return [
    { head: 'Node', cell: ({ nodeId }) => <code>{nodeId}</code> },
    { head: 'State', cell: (node) => <Badge {...(isKnown ? nodeState(node) : unknown)} /> },
    {
      head: 'Sessions',
      kind: 'number',
      cell: ({ sessions }) => (sessions === undefined || !isKnown ? '–' : numberText(sessions)),
    },
    { head: 'Address', cell: ({ publicAddress }) => publicAddress ?? '–' },
    { head: 'Version', cell: ({ version }) => version ?? '–' },
    { head: 'Started', cell: ({ startedAt }) => (startedAt === undefined ? '–' : <Time at={startedAt} />) },
    {
      head: 'Last seen',
      cell: ({ lastSeen }) => (isKnown ? <Time at={lastSeen} /> : absoluteText(lastSeen)),
    },
  ];
}

/** The broker nodes on this Redis. */
export function NodesView(_: { readonly org: string }) {
  const { nodes, error } = useNodes();
  const intro =
    nodes === null || error !== null
      ? 'Broker processes on this Redis.'
      : `${counted(nodes.length, 'node')} on this Redis, for all orgs together.`;
  return (
    <Page title="Nodes" intro={intro}>
      <Failure error={error} />
      {!maySeeNodes() && <Empty title="Not for this token">Nodes are shown to a token for all orgs.</Empty>}
      {nodes?.length === 0 && error === null && (
        <Empty title="No node is known">A node enters itself when it starts.</Empty>
      )}
      {nodes !== null && nodes.length > 0 && (
        <div class="card flush">
          <Table
            caption="Nodes"
            columns={columnsOf(error === null)}
            rows={nodes}
            keyOf={({ nodeId }) => nodeId}
          />
        </div>
      )}
    </Page>
  );
}
