import type { LabelValues } from '../../src/base/metrics/row.js';
import { metricsTable } from '../../src/base/metrics.js';

interface Series {
  readonly isCumulative: boolean;
  readonly labels: Readonly<Record<string, LabelValues>>;
}

/** What the table has: the name of each series, and what its labels may be. */
const known = new Map<string, Series>(
  Object.values(metricsTable).flatMap(([kind, name, , labels]): [string, Series][] =>
    kind === 'histogram'
      ? ['_bucket', '_sum', '_count'].map((suffix) => [
          name + suffix,
          { isCumulative: true, labels: { ...labels, ...(suffix === '_bucket' && { le: 'open' }) } },
        ])
      : [[name, { isCumulative: kind === 'counter', labels }]],
  ),
);
/** Given by Prometheus to every series. */
const given: Readonly<Record<string, LabelValues>> = { instance: 'open', job: 'open' };

/** A series as a query names it. */
export interface Selector {
  readonly name: string;
  /** Label and value; of a pattern, each of its alternatives. */
  readonly matched: readonly (readonly [label: string, value: string])[];
  /** Whether it stands within rate() or increase(). */
  readonly isRate: boolean;
}

export function selectorsOf(query: string): Selector[] {
  // Quotes may hold braces: {org!="{others}"}.
  return [...query.matchAll(/(\b\w+\()?\b(soleseat_\w+)(?:\{((?:[^}"]|"[^"]*")*)\})?(\[)?/g)].map(
    ([, call = '', name = '', matchers = '', range]) => ({
      name,
      matched: [...matchers.matchAll(/(\w+)\s*(=~|!~|!=|=)\s*"([^"]*)"/g)].flatMap(
        ([, label = '', operator = '', value = '']) =>
          (operator.includes('~') ? value.split('|') : [value]).map((one) => [label, one] as const),
      ),
      isRate: range !== undefined && /^(rate|increase)\($/.test(call),
    }),
  );
}

/** Metrics, labels and values of labels in a query that the table does not know. */
export function unknownIn(query: string): string[] {
  const inSelectors = selectorsOf(query).flatMap(({ name, matched }) => {
    const series = known.get(name);
    if (series === undefined) return [name];
    return matched.flatMap(([label, value]) => {
      const values = { ...series.labels, ...given }[label];
      if (values === undefined) return [`${name}{${label}}`];
      const isKnown = values === 'open' || value.startsWith('$') || values.map(String).includes(value);
      return isKnown ? [] : [`${name}{${label}="${value}"}`];
    });
  });
  return [...inSelectors, ...unknownGroupsIn(query)];
}

/** Labels after `by` and `on` that a metric they are about has not: then all series would fall into one. */
function unknownGroupsIn(query: string): string[] {
  return [...query.matchAll(/\b(by|on) \(([^)]*)\)\s*/g)].flatMap(
    ({ 0: text, 1: word, 2: list = '', index }) => {
      const about = word === 'by' ? parenthesized(query.slice(index + text.length)) : query;
      return list.split(/,\s*/).flatMap((label) =>
        selectorsOf(about)
          .filter(({ name }) => !(label in { ...known.get(name)?.labels, ...given }))
          .map(({ name }) => `${word} (${label}) of ${name}`),
      );
    },
  );
}

/** Counters and histograms that a query takes as they are: such a number says how long a node has run. */
export function unratedIn(query: string): string[] {
  return selectorsOf(query)
    .filter(({ name, isRate }) => known.get(name)?.isCumulative && !isRate)
    .map(({ name }) => name);
}

/** Labels that a query groups by. */
export function groupsOf(query: string): string[] {
  return [...query.matchAll(/\bby \(([^)]*)\)/g)].flatMap(([, list = '']) => list.split(/,\s*/));
}

/** From the parenthesis that a text begins with to the one that closes it. */
function parenthesized(text: string): string {
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    if (text[at] === '(') depth++;
    if (text[at] === ')' && --depth === 0) return text.slice(0, at + 1);
  }
  throw new Error(`no closing parenthesis: ${text}`);
}
