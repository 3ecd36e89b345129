import { useState } from 'preact/hooks';
import type { AdminAnswers } from '../../protocol/admin-answers.js';
import { call, orgPath, withQuery } from '../api/client.js';
import type { UsageRow } from '../api/types.js';
import { numberText } from '../format.js';
import { type Bar, BarChart } from '../parts/bar-chart.js';
import { Empty, Failure } from '../parts/page.js';
import { Table } from '../parts/table.js';
import { useAnswer } from '../state/answer.js';
import './usage-card.css';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const spans = {
  day: { by: 'hour', ms: DAY_MS, label: '24 hours' },
  month: { by: 'day', ms: 30 * DAY_MS, label: '30 days' },
} as const;
type Span = keyof typeof spans;

type Usage = AdminAnswers['getUsage'];

/** How the hours and days of the org's zone are written. */
function wordsIn(timeZone: string) {
  const as = (options: Intl.DateTimeFormatOptions) => {
    const format = new Intl.DateTimeFormat(undefined, { ...options, timeZone });
    return (at: string) => format.format(Date.parse(at));
  };
  return {
    day: {
      bar: as({ hour: 'numeric', minute: '2-digit' }),
      row: as({ dateStyle: 'medium', timeStyle: 'short' }),
    },
    month: { bar: as({ day: 'numeric', month: 'short' }), row: as({ dateStyle: 'medium' }) },
  };
}

function usageOf(org: string, span: Span, signal: AbortSignal): Promise<Usage> {
  const { by, ms } = spans[span];
  const from = new Date(Date.now() - ms + (by === 'hour' ? HOUR_MS : DAY_MS)).toISOString();
  const query = { by, from, to: new Date().toISOString() };
  return call<Usage>('GET', withQuery(orgPath(org, 'usage'), query), { signal });
}

/** The most seats at once in each hour or day, as bars and as a table. */
export function UsageCard({ org }: { readonly org: string }) {
  const [span, setSpan] = useState<Span>('day');
  const { value: usage, error } = useAnswer<Usage>(`${orgPath(org, 'usage')} ${span}`, {
    ask: (signal) => usageOf(org, span, signal),
  });
  const rows = usage?.items ?? null;
  const words = wordsIn(usage?.timeZone ?? 'UTC')[span];
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
          <BarChart
            label={`Most seats at once in the last ${spans[span].label}`}
            bars={barsOf(rows, words.bar)}
          />
          <p class="hint">
            {span === 'day' ? 'Hours' : 'Days'} of {usage?.timeZone}.
            {rows.some(({ wholeHours }) => wholeHours) &&
              ' The older ones are exact to the hour of UTC only.'}
          </p>
          <details class="as-table">
            <summary>As a table</summary>
            <Table
              caption="Usage"
              columns={[
                { head: span === 'day' ? 'Hour' : 'Day', cell: ({ at }) => words.row(at) },
                { head: 'Most at once', kind: 'number', cell: ({ peak }) => numberText(peak) },
                ...(span === 'month'
                  ? [
                      {
                        head: 'Users',
                        kind: 'number' as const,
                        cell: ({ uniqueUsers }: UsageRow) => numberText(uniqueUsers ?? 0),
                      },
                    ]
                  : []),
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

function barsOf(rows: readonly UsageRow[], wordsOf: (at: string) => string): Bar[] {
  return rows.map(({ at, peak }) => {
    const label = wordsOf(at);
    return { key: at, label, title: `${numberText(peak)} at once, ${label}`, value: peak };
  });
}
