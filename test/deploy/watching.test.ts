import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createMetrics } from '../../src/base/metrics.js';
import { promtool } from '../support/promtool.js';
import { groupsOf, selectorsOf, unknownIn, unratedIn } from './queries.js';

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
  readonly targets?: readonly { readonly expr: string; readonly legendFormat: string }[];
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

/** The page of a node that has just begun. */
const freshPage = await createMetrics().registry.metrics();

/** Of all histograms, in seconds. */
const buckets = [
  ...new Set([...freshPage.matchAll(/soleseat_\w+_bucket\{le="([\d.]+)"\}/g)].map(([, le]) => Number(le))),
];

/** Of each alert, all that its rule says. */
const rules = read(RULES)
  .split(/^ +- alert: /m)
  .slice(1);

/** Seconds of a duration as Prometheus writes it: 10m30s. */
function secondsOf(duration: string): number {
  const [, minutes = 0, seconds = 0] = /^(?:(\d+)m)?(?:(\d+)s)?$/.exec(duration) ?? [];
  return Number(minutes) * 60 + Number(seconds);
}

interface RuleTest {
  readonly alert: string;
  readonly looks: readonly { readonly atSeconds: number; readonly fires: boolean }[];
}
const ruleTests: readonly RuleTest[] = read(RULES_TEST)
  .split(/^ {2}- name: /m)
  .slice(1)
  .map((text) => {
    const looks = [...text.matchAll(/- alertname: (\w+)\n +eval_time: (\w+)\n +exp_alerts:( \[\])?\n/g)].map(
      ([, alert = '', time = '', none]) => ({
        alert,
        atSeconds: secondsOf(time),
        fires: none === undefined,
      }),
    );
    return { alert: looks[0]?.alert ?? '', looks };
  });

describe('the alerts', () => {
  it('pass promtool, and so does the example of a configuration', async () => {
    const { code, output } = await promtool(['check', 'config', 'deploy/prometheus/prometheus.yml']);
    expect(code, output).toBe(0);
    expect(output).toContain(`${alerts.length} rules found`);
  });

  it('fire when their cause is there, and not when all is well', async () => {
    const { code, output } = await promtool(['test', 'rules', RULES_TEST]);
    expect(code, output).toBe(0);
  });

  it.each(alerts)('%s has a test in which it fires, to the moment, and one in which it does not', (name) => {
    const tests = ruleTests.filter(({ alert }) => alert === name);
    const firing = tests.filter(({ looks }) => looks.some(({ fires }) => fires));
    expect([firing.length > 0, tests.length > firing.length]).toEqual([true, true]);
    // One evaluation earlier it does not yet fire: so much depends on its \`for\`.
    for (const { looks } of firing) {
      const [before, after] = looks;
      expect(looks.map(({ fires }) => fires)).toEqual([false, true]);
      expect((after?.atSeconds ?? 0) - (before?.atSeconds ?? 0)).toBe(15);
    }
  });

  it('name only metrics, labels and values of labels that exist', () => {
    expect(alerts.length).toBeGreaterThan(20);
    expect([...rules, read(RULES_TEST)].flatMap(unknownIn)).toEqual([]);
    expect(rules.flatMap(unratedIn)).toEqual([]);
  });

  it('have buckets at the latency that they ask for, and beyond it', () => {
    const asked = rules.flatMap((rule) =>
      [...rule.matchAll(/\b(soleseat_\w+_bucket)\b[\s\S]*?> ([\d.]+)$/gm)].map(([, name = '', bound]) => ({
        name,
        bound: Number(bound),
      })),
    );
    expect(asked.length).toBe(4);
    for (const { name, bound } of asked) {
      expect(buckets).toContain(bound);
      // A quantile is never above the last bucket: an alert at that one could not fire.
      expect(Math.max(...buckets), name).toBeGreaterThan(bound);
    }
    const tested = selectorsOf(read(RULES_TEST)).flatMap(({ matched }) =>
      matched
        .filter(([label, value]) => label === 'le' && value !== '+Inf')
        .map(([, value]) => Number(value)),
    );
    expect(tested.filter((bound) => !buckets.includes(bound))).toEqual([]);
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

describe("a node's page", () => {
  const queries = [...rules, ...dashboards.flatMap((file) => queriesOf(dashboard(file)))];

  it('has from the start every value of a label of a counter that an alert or a dashboard names', () => {
    const named = queries
      .flatMap(selectorsOf)
      .flatMap(({ name, matched }) => matched.map(([label, value]) => ({ name, label, value })))
      .filter(({ name, label }) => name.endsWith('_total') && !['instance', 'address'].includes(label));
    expect(new Set(named.map(({ label }) => label))).toEqual(
      new Set(['code', 'outcome', 'path', 'reason', 'limit']),
    );
    const lines = freshPage.split('\n');
    const missing = named.filter(
      ({ name, label, value }) =>
        !lines.some((line) => line.startsWith(`${name}{`) && line.includes(`${label}="${value}"`)),
    );
    expect(missing).toEqual([]);
  });
});

it('promtool may end without reading what it is given', async () => {
  const { code } = await promtool(['--version'], '# a line that nobody reads\n'.repeat(100_000));
  expect(code).toBe(0);
});

describe('the dashboards', () => {
  it('are one of the service and one of Redis', () => {
    expect(dashboards.map((file) => dashboard(file).title).sort()).toEqual([
      'Soleseat: Redis',
      'Soleseat: service',
    ]);
  });

  it.each(dashboards)('%s names only metrics, labels and values of labels that exist', (file) => {
    const { panels } = dashboard(file);
    expect(queriesOf(dashboard(file)).flatMap(unknownIn)).toEqual([]);
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    const empty = panels.filter(({ type, targets = [] }) => type !== 'row' && targets.length === 0);
    expect(empty.map(({ title }) => title)).toEqual([]);
  });

  it.each(dashboards)(
    '%s shows how fast counters grow, and names series by what they are grouped by',
    (file) => {
      const targets = dashboard(file).panels.flatMap(({ targets = [] }) => targets);
      expect(targets.flatMap(({ expr }) => unratedIn(expr))).toEqual([]);
      const unnamed = targets.flatMap(({ expr, legendFormat }) =>
        [...legendFormat.matchAll(/\{\{(\w+)\}\}/g)]
          .map(([, label = '']) => label)
          .filter(
            (label) =>
              !groupsOf(expr).includes(label) && !(label === 'instance' && !/\bsoleseat_/.test(expr)),
          )
          .map((label) => `${label} in ${expr}`),
      );
      expect(unnamed).toEqual([]);
    },
  );

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
