import type { HistoryLine, SessionLine } from '../../protocol/history.js';
import { fromPage, orgPath } from '../api/client.js';
import { counted, wordsOf } from '../format.js';
import { Icon } from '../parts/icon.js';
import { Empty } from '../parts/page.js';
import { type Column, Table } from '../parts/table.js';
import { Time } from '../parts/time.js';

const hours = new Intl.NumberFormat(undefined, { minimumFractionDigits: 1, maximumFractionDigits: 1 });

/** The newest sessions of a user, and what was refused. */
export function UserHistory(props: {
  readonly org: string;
  readonly user: string;
  readonly lines: readonly HistoryLine[];
}) {
  const { org, user, lines } = props;
  return (
    <section class="card flush wide" aria-labelledby="sessions">
      <div class="card-head">
        <h2 id="sessions">Sessions</h2>
        <a
          class="button small"
          href={fromPage(`${orgPath(org, 'history-export')}?user=${encodeURIComponent(user)}`)}
          download
        >
          <Icon name="download" /> Export
        </a>
      </div>
      {lines.length === 0 ? (
        <Empty title="No session is on record" />
      ) : (
        <Table caption="Sessions of this user" columns={columns} rows={lines} keyOf={keyOf} />
      )}
    </section>
  );
}

const columns: Column<HistoryLine>[] = [
  { head: 'Began', cell: (line) => <Time at={line.kind === 'session' ? line.began : line.at} /> },
  { head: 'Machine', cell: ({ machine }) => ('name' in machine && machine.name) || machine.id },
  { head: 'Program', cell: (line) => (line.kind === 'session' ? programOf(line) : '') },
  { head: 'Ended', cell: endOf },
  {
    head: 'Hours',
    kind: 'number',
    cell: (line) => (line.kind === 'session' ? hours.format(line.hours) : ''),
  },
];

function endOf(line: HistoryLine) {
  if (line.kind === 'refusal') {
    const times = line.count === 1 ? '' : `, ${counted(line.count, 'time')}`;
    return `refused: ${wordsOf(line.reason)}${times}`;
  }
  if (line.ended === null) return 'in use now';
  return (
    <>
      <Time at={line.ended} /> {line.reason === undefined ? '' : `(${wordsOf(line.reason)})`}
    </>
  );
}

function programOf({ client, address }: SessionLine): string {
  return [client?.name, client?.version, address && `from ${address}`].filter(Boolean).join(' ');
}

function keyOf(line: HistoryLine): string {
  return line.kind === 'session' ? `${line.sessionId} ${line.ended ?? ''}` : line.at;
}
