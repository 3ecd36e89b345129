import { numberText, wordsOf } from '../format.js';
import { Empty, Waiting } from '../parts/page.js';
import './reasons.css';

const SHOWN = 6;

/** How often each reason was one, the most frequent first. */
export function Reasons(props: {
  readonly title: string;
  /** undefined: not known yet. */
  readonly counts: Readonly<Record<string, number>> | undefined;
  readonly empty: string;
}) {
  const { title, counts, empty } = props;
  const rows = Object.entries(counts ?? {})
    .filter(([, count]) => count > 0)
    .sort(([, a], [, b]) => b - a)
    .slice(0, SHOWN);
  const most = rows[0]?.[1] ?? 1;
  return (
    <section class="card" aria-label={title}>
      <h2>{title}</h2>
      {counts === undefined ? (
        <Waiting />
      ) : rows.length === 0 ? (
        <Empty title={empty} />
      ) : (
        <ul class="reasons">
          {rows.map(([reason, count]) => (
            <li key={reason}>
              <span>{wordsOf(reason)}</span>
              <span class="number">{numberText(count)}</span>
              <svg width="100%" height="4" aria-hidden="true" focusable="false">
                <rect width={`${((count / most) * 100).toFixed(2)}%`} height="4" rx="2" />
              </svg>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
