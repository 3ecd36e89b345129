import type { Attributes, Span, Tracer } from '@opentelemetry/api';

type Api = typeof import('@opentelemetry/api');

export interface TracingConfig {
  /** Base of an OTLP receiver over HTTP; empty: no traces. */
  readonly otlpEndpoint: string;
  readonly nodeId: string;
  /** Longest wait for the receiver, at every export and at the end. */
  readonly exportTimeoutMs: number;
}

/** What a span tells: ids to follow a session by, across nodes. Never a user, never a token. */
export type TraceFacts = Readonly<Record<string, string | number | boolean | undefined>>;

/**
 * Spans for whoever gives an endpoint. Off, `begin` gives null, and nobody pays more than looking at that; the
 * OpenTelemetry packages are not even loaded.
 */
export class Tracing {
  #on: { readonly api: Api; readonly tracer: Tracer; readonly stop: () => Promise<void> } | null = null;

  /** Loads what tracing needs, if it is on. Spans are sent in batches, and dropped rather than queued without end. */
  async start({ otlpEndpoint, nodeId, exportTimeoutMs }: TracingConfig): Promise<void> {
    if (otlpEndpoint === '') return;
    const [api, sdk, resources, { OTLPTraceExporter }] = await packages();
    const url = `${otlpEndpoint.replace(/\/+$/, '')}/v1/traces`;
    const exporter = new OTLPTraceExporter({ url, timeoutMillis: exportTimeoutMs });
    const provider = new sdk.BasicTracerProvider({
      resource: resources.resourceFromAttributes({
        'service.name': 'soleseat',
        'service.instance.id': nodeId,
      }),
      spanProcessors: [
        new sdk.BatchSpanProcessor(exporter, {
          scheduledDelayMillis: 1000,
          exportTimeoutMillis: exportTimeoutMs,
        }),
      ],
    });
    const stop = () => provider.shutdown().catch(() => {});
    this.#on = { api, tracer: provider.getTracer('soleseat'), stop };
  }

  /** A span that begins now, under a parent, here or at another node, if there is one. Null while tracing is off. */
  begin(name: string, facts: TraceFacts = {}, parent: Trace | string | null = null): Trace | null {
    if (this.#on === null) return null;
    const { api, tracer } = this.#on;
    const context =
      parent instanceof Trace
        ? api.trace.setSpan(api.ROOT_CONTEXT, parent.span)
        : remoteContext(api, parent ?? '');
    return new Trace(this, tracer.startSpan(name, { attributes: named(facts) }, context));
  }

  /** Sends what is left. Takes no longer than the export timeout. */
  async stop(): Promise<void> {
    await this.#on?.stop();
    this.#on = null;
  }
}

/** They are optional: a small image comes without them. */
async function packages() {
  try {
    return await Promise.all([
      import('@opentelemetry/api'),
      import('@opentelemetry/sdk-trace-base'),
      import('@opentelemetry/resources'),
      import('@opentelemetry/exporter-trace-otlp-http'),
    ]);
  } catch (error) {
    if ((error as { code?: string }).code !== 'ERR_MODULE_NOT_FOUND') throw error;
    throw new Error(
      'SOLESEAT_OTLP_ENDPOINT is set, and the packages of OpenTelemetry are not installed: docs/operations.md says how to add them',
    );
  }
}

/** A span under way. */
export class Trace {
  constructor(
    private readonly tracing: Tracing,
    readonly span: Span,
  ) {}

  /** What another node needs to go on with the trace, as `traceparent` of W3C Trace Context has it. */
  get parent(): string {
    const { traceId, spanId } = this.span.spanContext();
    return `00-${traceId}-${spanId}-01`;
  }

  /** A step within this one. */
  step(name: string): Trace | null {
    return this.tracing.begin(name, {}, this);
  }

  /** Ends it; a second end does nothing. */
  end(facts: TraceFacts = {}): void {
    if (!this.span.isRecording()) return;
    this.span.setAttributes(named(facts));
    this.span.end();
  }
}

function remoteContext(api: Api, traceparent: string) {
  const [, traceId, spanId] = /^00-([0-9a-f]{32})-([0-9a-f]{16})-01$/.exec(traceparent) ?? [];
  if (traceId === undefined || spanId === undefined) return api.ROOT_CONTEXT;
  const parent = { traceId, spanId, traceFlags: api.TraceFlags.SAMPLED, isRemote: true };
  return api.trace.setSpanContext(api.ROOT_CONTEXT, parent);
}

function named(facts: TraceFacts): Attributes {
  return Object.fromEntries(
    Object.entries(facts).flatMap(([name, value]) =>
      value === undefined ? [] : [[`soleseat.${name}`, value]],
    ),
  );
}
