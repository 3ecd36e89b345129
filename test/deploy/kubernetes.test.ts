import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { metricsTable } from '../../src/base/metrics.js';
import { parseSettings } from '../../src/base/parse-settings.js';
import {
  filesIn,
  kubectl,
  type Manifest,
  manifestsOf,
  overlays,
  render,
  schemaFaults,
  unknownFields,
} from '../support/kubernetes.js';

const base = filesIn('base');
/** With every file of ours in it. The rendered ones stand beside it where there is a kubectl. */
const sets: Record<string, readonly Manifest[]> = {
  files: [
    ...base,
    ...filesIn('components', 'monitoring'),
    ...filesIn('components', 'autoscaling'),
    ...overlays.flatMap((name) => filesIn('overlays', name)),
  ],
};
for (const overlay of kubectl === undefined ? [] : overlays)
  sets[overlay] = await render(overlay, kubectl ?? '');

function only(manifests: readonly Manifest[], kind: string): Manifest {
  const [found, ...more] = manifests.filter((one) => one.kind === kind);
  if (found === undefined || more.length > 0) throw new Error(`there is not one ${kind}`);
  return found;
}

const names = Object.keys(sets);
const of = (name: string) => sets[name] ?? [];
const podOf = (manifests: readonly Manifest[]) => only(manifests, 'Deployment').spec.template;

describe.each(names)('Kubernetes, %s', (name) => {
  it('fits the schemas of Kubernetes and of the Prometheus Operator, and has no field that they do not know', async () => {
    expect(schemaFaults(of(name))).toEqual([]);
    expect(await unknownFields(name, of(name))).toEqual({ code: 0, out: '', err: '' });
  });

  it('runs as a user without rights, with a root that cannot be written, and without links of services', () => {
    const { spec } = podOf(of(name));
    expect(spec).toMatchObject({
      enableServiceLinks: false,
      automountServiceAccountToken: false,
      securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
    });
    expect(spec.containers.length).toBe(1);
    expect(spec.containers[0].securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
  });

  it('selects its pods everywhere, and names ports that they have', () => {
    const pod = podOf(of(name));
    const { labels } = pod.metadata;
    const selectors = of(name).flatMap(({ kind, spec }) => {
      if (kind === 'Service') return [spec.selector];
      if (kind === 'NetworkPolicy') return [spec.podSelector.matchLabels];
      if (kind === 'PodDisruptionBudget' || kind === 'Deployment') return [spec.selector.matchLabels];
      return [];
    });
    selectors.push(
      ...pod.spec.topologySpreadConstraints.map((one: Manifest['spec']) => one.labelSelector.matchLabels),
    );
    expect(selectors.length).toBe(6);
    for (const selector of selectors) {
      expect(Object.keys(selector).length).toBeGreaterThan(0);
      expect(labels).toMatchObject(selector);
    }
    const ports = pod.spec.containers[0].ports.map((one: { name: string }) => one.name);
    const policy = only(of(name), 'NetworkPolicy').spec;
    const services = of(name).filter(({ kind }) => kind === 'Service');
    const named = [
      ...services.flatMap(({ spec }) => spec.ports.map((one: { targetPort: string }) => one.targetPort)),
      ...policy.ingress.flatMap((rule: Manifest['spec']) =>
        rule.ports.map((one: { port: string }) => one.port),
      ),
      ...['readinessProbe', 'livenessProbe'].map((probe) => pod.spec.containers[0][probe].httpGet.port),
    ];
    for (const port of named) expect(ports).toContain(port);
  });

  it('asks /livez for life and /readyz for readiness, and gives a drain its time', () => {
    const { spec } = podOf(of(name));
    const [container] = spec.containers;
    expect(container.livenessProbe.httpGet.path).toBe('/livez');
    expect(container.readinessProbe.httpGet.path).toBe('/readyz');
    const preStopMs = Number(container.lifecycle.preStop.exec.command[1]) * 1000;
    expect(spec.terminationGracePeriodSeconds * 1000).toBeGreaterThan(10_000 + 15_000 + preStopMs);
  });
});

describe.each(names.filter((name) => name !== 'files'))('Kubernetes, %s, as kustomize renders it', (name) => {
  it('gives the node settings that it can start with, and reads them where the secrets are', () => {
    const config = only(of(name), 'ConfigMap');
    const { spec } = podOf(of(name));
    const [container] = spec.containers;
    // The name has a hash, so that a changed setting begins a rolling update.
    expect(container.envFrom).toEqual([{ configMapRef: { name: config.metadata.name } }]);
    const { REDIS_URL_FILE, SOLESEAT_JWT_SECRET_FILE, ...texts } = config.data ?? {};
    for (const file of [REDIS_URL_FILE, SOLESEAT_JWT_SECRET_FILE])
      expect(file?.startsWith(`${container.volumeMounts[0].mountPath}/`)).toBe(true);
    const secrets = { REDIS_URL: 'rediss://redis:6379', SOLESEAT_JWT_SECRET: 'x'.repeat(32) };
    expect(parseSettings({ ...texts, ...secrets })).toMatchObject({
      ok: true,
      settings: { adminHost: '0.0.0.0', drainMs: 10_000 },
    });
  });

  it('is in one namespace, which enforces the strictest profile', () => {
    const namespace = only(of(name), 'Namespace');
    expect(namespace.metadata.labels?.['pod-security.kubernetes.io/enforce']).toBe('restricted');
    for (const one of of(name).filter(({ kind }) => kind !== 'Namespace'))
      expect((one.metadata as { namespace?: string }).namespace).toBe(namespace.metadata.name);
  });
});

describe('the autoscaler and the monitor', () => {
  it('scale by a metric that there is, and leave the number of pods to the autoscaler', () => {
    const { spec } = only(sets.files ?? [], 'HorizontalPodAutoscaler');
    const metric = spec.metrics[0].pods.metric.name;
    expect(Object.values(metricsTable).find(([, known]) => known === metric)?.[0]).toBe('gauge');
    for (const name of names.filter((one) => one === 'production'))
      expect(only(of(name), 'Deployment').spec).not.toHaveProperty('replicas');
  });

  it('name the job that the alerts expect, and find the port of the service', () => {
    const { spec } = only(sets.files ?? [], 'ServiceMonitor');
    const found = base.filter(
      ({ kind, metadata }) =>
        kind === 'Service' &&
        Object.entries(spec.selector.matchLabels).every(([key, value]) => metadata.labels?.[key] === value),
    );
    expect(found.map(({ metadata }) => metadata.name)).toEqual(['soleseat-admin']);
    expect(found[0]?.spec.ports.map((one: { name: string }) => one.name)).toEqual([spec.endpoints[0].port]);
    expect(found[0]?.metadata.labels?.[spec.jobLabel]).toBe('soleseat');
    expect(readFileSync(new URL('../../deploy/prometheus/rules.yml', import.meta.url), 'utf8')).toContain(
      'job="soleseat"',
    );
  });
});

describe('the checks', () => {
  it('see a field that does not exist, a wrong type and a missing field', async () => {
    const text = JSON.stringify(only(base, 'Deployment'));
    const wrong = {
      unknown: text.replace('readOnlyRootFilesystem', 'readOnlyRootFileSystem'),
      type: text.replace('"containerPort":8080', '"containerPort":"8080"'),
      missing: text.replace('"selector":', '"selectors":'),
    };
    expect((await unknownFields('wrong', manifestsOf(wrong.unknown))).out).toContain(
      'readOnlyRootFileSystem',
    );
    expect(schemaFaults(manifestsOf(wrong.type)).join()).toContain('containerPort must be integer');
    expect(schemaFaults(manifestsOf(wrong.missing)).join()).toContain('selector');
  });
});
