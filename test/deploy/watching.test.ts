import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { metricsTable } from '../../src/base/metrics.js';
import { promtool } from '../support/promtool.js';

const root = resolve(import.meta.dirname, '../..');
const read = (file: string) => readFileSync(join(root, file), 'utf8');

const RULES = 'deploy/prometheus/rules.yml';
const RULES_TEST = 'deploy/prometheus/rules.test.yml';
const dashboards = readdirSync(join(root, 'deploy/grafana')).map((name) => `deploy/grafana/${name}`);
const alerts = [...read(RULES).matchAll(/^ +- alert: (\w+)$/gm)].map(([, name = '']) => name);

interface Panel {
  readonly id: number;
  readonly title: string;
  readonly type: string;
  readonly targets?: readonly { readonly expr: string }[];
}
interface Dashboard {
  readonly uid: string;
  readonly title: string;
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly { readonly definition?: string }[] };
}
const dashboard = (file: string) => JSON.parse(read(file)) as Dashboard;
const queriesOf = ({ panels, templating }: Dashboard) => [
  ...panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr)),
  ...templating.list.map(({ definition = '' }) => definition),
];

const rows = Object.values(metricsTable);
/** name → labels, with those that a histogram's series add. */
const known = new Map<string, readonly string[]>(
  rows.flatMap(([kind, name, , labels]): [string, readonly string[]][] =>
    kind === 'histogram'
      ? ['_bucket', '_sum', '_count'].map((suffix) => [name + suffix, [...Object.keys(labels), 'le']])
      : [[name, Object.keys(labels)]],
  ),
);
/** Given by Prometheus to every series. */
const given = ['instance', 'job'];

/** Metrics and matchers of a query that the table does not know. */
function unknownIn(query: string): string[] {
  return [...query.matchAll(/\b(soleseat_\w+)(?:\{([^}]*(?:\{others\})?[^}]*)\})?/g)].flatMap(
    ([, name = '', matchers = '']) => {
      const labels = known.get(name);
      if (labels === undefined) return [name];
      const named = [...matchers.matchAll(/(\w+)\s*(?:=~|!~|!=|=)\s*"/g)].map(([, label = '']) => label);
      return named
        .filter((label) => !labels.includes(label) && !given.includes(label))
        .map((label) => `${name}{${label}}`);
    },
  );
}

describe('the alerts', () => {
  it('pass promtool, and so does the example of a configuration', async () => {
    const { code, output } = await promtool(['check', 'config', 'deploy/prometheus/prometheus.yml']);
    expect(code, output).toBe(0);
    expect(output).toContain(`${alerts.length} rules found`);
  });

  it('fire when their cause is there, and not when all is well', async () => {
    const { code, output } = await promtool(['test', 'rules', RULES_TEST]);
    expect(code, output).toBe(0);
    const tested = [...read(RULES_TEST).matchAll(/^ {2}- name: (\w+)$/gm)].map(([, name]) => name);
    expect(tested.sort()).toEqual([...alerts].sort());
  });

  it('name only metrics and labels that exist', () => {
    expect(alerts.length).toBeGreaterThan(20);
    expect([...unknownIn(read(RULES)), ...unknownIn(read(RULES_TEST))]).toEqual([]);
  });

  it('each lead to a paragraph of the runbook, which has no other', () => {
    const sections = read('docs/runbook.md')
      .split(/^### /m)
      .slice(1)
      .map((text) => ({ name: text.split('\n', 1)[0], words: text.split(/\s+/).length }));
    expect(sections.map(({ name }) => name).sort()).toEqual([...alerts].sort());
    expect(sections.filter(({ words }) => words < 25)).toEqual([]);
    const links = [...read(RULES).matchAll(/runbook_url: (\S+)$/gm)].map(([, link]) => link);
    expect(links).toEqual(alerts.map((name) => `docs/runbook.md#${name.toLowerCase()}`));
  });
});

describe('the dashboards', () => {
  it('are one of the service and one of Redis', () => {
    expect(dashboards.map((file) => dashboard(file).title).sort()).toEqual([
      'Soleseat: Redis',
      'Soleseat: service',
    ]);
  });

  it.each(dashboards)('%s names only metrics and labels that exist', (file) => {
    const { panels } = dashboard(file);
    expect(queriesOf(dashboard(file)).flatMap(unknownIn)).toEqual([]);
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    const empty = panels.filter(({ type, targets = [] }) => type !== 'row' && targets.length === 0);
    expect(empty.map(({ title }) => title)).toEqual([]);
  });

  it.each(dashboards)('%s has queries that Prometheus understands', async (file) => {
    const queries = dashboard(file).panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
    const rules = queries.map((expr, index) => ({
      record: `query:${index}`,
      expr: expr.replaceAll('$__rate_interval', '1m'),
    }));
    const folder = mkdtempSync(join(tmpdir(), 'soleseat-dashboard-'));
    const rulesFile = join(folder, 'rules.yml');
    // JSON is YAML too.
    writeFileSync(rulesFile, JSON.stringify({ groups: [{ name: 'queries', rules }] }));
    const { code, output } = await promtool(['check', 'rules', rulesFile]);
    rmSync(folder, { recursive: true });
    expect(code, output).toBe(0);
  });
});
