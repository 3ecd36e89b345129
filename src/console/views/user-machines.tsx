import type { SeenMachine, Session } from '../api/types.js';
import { numberText } from '../format.js';
import { Badge } from '../parts/badge.js';
import { MachineName } from '../parts/machine.js';
import { Empty } from '../parts/page.js';
import { type Column, Table } from '../parts/table.js';
import { Time } from '../parts/time.js';

/** The machines on which a user got a seat, the last seen first. */
export function Machines(props: {
  readonly machines: readonly SeenMachine[];
  readonly session: Session | null;
}) {
  const { machines, session } = props;
  if (machines.length === 0) return <Empty title="No machine was seen yet" />;
  const columns: Column<SeenMachine>[] = [
    { head: 'Machine', cell: (machine) => <MachineName machine={machine} /> },
    {
      head: 'Id',
      cell: ({ id, double }) => (
        <span class="two-lines">
          <code>{id}</code>
          {double && (
            <small title="Two programs with this id ran at once: a copied machine, most likely.">
              <Badge tone="warn" text="double" /> {double.names.join(' and ')} at once,{' '}
              <Time at={double.at} />
            </small>
          )}
        </span>
      ),
    },
    {
      head: 'Last seen',
      cell: ({ id, lastSeen }) => (id === session?.machine.id ? 'in use now' : <Time at={lastSeen} />),
    },
    { head: 'First seen', cell: ({ firstSeen }) => <Time at={firstSeen} /> },
    { head: 'Times', kind: 'number', cell: ({ times }) => numberText(times) },
  ];
  return <Table caption="Machines of this user" columns={columns} rows={machines} keyOf={({ id }) => id} />;
}
