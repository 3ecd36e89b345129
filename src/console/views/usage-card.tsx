import { useEffect, useState } from 'preact/hooks';
import { call, orgPath, withQuery } from '../api/client.js';
import type { UsageRow } from '../api/types.js';
import { absoluteText, dateText, numberText } from '../format.js';
import { type Bar, BarChart } from '../parts/bar-chart.js';
import { Empty, Failure } from '../parts/page.js';
import { Table } from '../parts/table.js';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const spans = {
  day: { by: 'hour', ms: DAY_MS, label: '24 hours' },
  month: { by: 'day', ms: 30 * DAY_MS, label: '30 days' },
} as const;
type Span = keyof typeof spans;

const hours = new Intl.DateTimeFormat(undefined, { hour: 'numeric' });
const days = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short', timeZone: 'UTC' });

/** The most seats at once in each hour or day, as bars and as a table. */
export function UsageCard({ org }: { readonly org: string }) {
  const [span, setSpan] = useState<Span>('day');
  const [rows, setRows] = useState<readonly UsageRow[] | null>(null);
  const [error, setError] = useState<Error | null>(null);

  useEffect(() => {
    const { by, ms } = spans[span];
    const gone = new AbortController();
    const from = new Date(Date.now() - ms + (by === 'hour' ? HOUR_MS : DAY_MS)).toISOString();
    const query = { by, from, to: new Date().toISOString() };
    call<{ readonly items: readonly UsageRow[] }>('GET', withQuery(orgPath(org, 'usage'), query), {
      signal: gone.signal,
    }).then(
      ({ items }) => {
        setRows(items);
        setError(null);
      },
      (failure: Error) => {
        if (!gone.signal.aborted) setError(failure);
      },
    );
    return () => gone.abort();
  }, [org, span]);

  const timeText = (at: string) => (span === 'day' ? absoluteText(at) : dateText(at));
  return (
    <section class="card usage" aria-labelledby="usage">
      <div class="card-head">
        <h2 id="usage">Most seats at once</h2>
        <div class="choice">
          {(Object.keys(spans) as Span[]).map((one) => (
            <button key={one} type="button" aria-pressed={one === span} onClick={() => setSpan(one)}>
              {spans[one].label}
            </button>
          ))}
        </div>
      </div>
      <Failure error={error} />
      {rows !== null && rows.length === 0 && <Empty title="Nothing was counted yet" />}
      {rows !== null && rows.length > 0 && (
        <>
          <BarChart label={`Most seats at once in the last ${spans[span].label}`} bars={barsOf(rows, span)} />
          <details class="as-table">
            <summary>As a table</summary>
            <Table
              caption="Usage"
              columns={[
                { head: span === 'day' ? 'Hour' : 'Day', cell: ({ at }) => timeText(at) },
                { head: 'Most at once', kind: 'number', cell: ({ peak }) => numberText(peak) },
                { head: 'Granted', kind: 'number', cell: ({ grants }) => numberText(grants) },
                { head: 'Takeovers', kind: 'number', cell: ({ takeovers }) => numberText(takeovers) },
                { head: 'Refused', kind: 'number', cell: ({ denials }) => numberText(denials) },
              ]}
              rows={[...rows].reverse()}
              keyOf={({ at }) => at}
            />
          </details>
        </>
      )}
    </section>
  );
}

function barsOf(rows: readonly UsageRow[], span: Span): Bar[] {
  return rows.map(({ at, peak }) => {
    const label = span === 'day' ? hours.format(Date.parse(at)) : days.format(Date.parse(at));
    return { key: at, label, title: `${numberText(peak)} at once, ${label}`, value: peak };
  });
}
