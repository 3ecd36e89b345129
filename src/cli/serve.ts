import cluster from 'node:cluster';
import { Broker } from '../broker.js';
import { StoreUnavailable } from '../store/errors.js';
import { type Configuration, type ConfigurationSources, loadConfiguration } from './configuration.js';
import { CommandFailure, exitCodes } from './failure.js';
import { Renewal } from './renewal.js';
import { joinGroup } from './workers/member.js';
import { workersOf } from './workers/names.js';
import { Supervisor } from './workers/supervisor.js';

/**
 * `soleseat serve`: a broker on the Redis that `REDIS_URL` names, until a signal drains it. Waits for a Redis that is not up
 * yet, unless it is told not to. With SOLESEAT_WORKERS this process runs several of them, and holds no session itself.
 */
export async function serve(
  sources: ConfigurationSources,
  { wait: waits }: { readonly wait: boolean },
): Promise<void> {
  const configuration = loadConfiguration(sources);
  const workers = workersOf(configuration.settings.workers);
  if (workers > 1 && cluster.isPrimary)
    process.exit(await new Supervisor(workers, configuration.settings).run());
  let renewal: Renewal | null = null;
  let own: Broker | null = null;
  const group = joinGroup(
    () =>
      own && {
        metrics: () => (own as Broker).metrics.registry.getMetricsAsJSON(),
        isReady: () => (own as Broker).isReady,
      },
  );
  // Before anything else: at a signal that nobody handles the process would end.
  process.on('SIGHUP', () => renewal?.renew('signal'));
  const onCreated = (broker: Broker) => {
    own = broker;
    // While it waits for Redis, too: a new password may be what it waits for.
    renewal = new Renewal(sources, configuration, broker);
    void renewal.start();
  };
  await startBroker(configuration, { waits, onCreated, group });
  group?.started();
}

export interface StartOptions
  extends Pick<NonNullable<ConstructorParameters<typeof Broker>[2]>, 'autoSignIn' | 'group'> {
  readonly onCreated?: (broker: Broker) => void;
  readonly onStopped?: () => Promise<void>;
  /** Whether it waits for a Redis that is not up yet. */
  readonly waits?: boolean;
  /** Beside SIGTERM and SIGINT. */
  readonly stopsAt?: NodeJS.Signals;
}

/** Starts a broker that drains at a signal and then ends the process through `onStopped`. */
export async function startBroker(
  { settings, keys, ...files }: Configuration,
  { onStopped = async () => {}, stopsAt, waits = false, onCreated, ...more }: StartOptions = {},
): Promise<Broker> {
  const broker = new Broker(settings, keys, { ...files, ...more });
  onCreated?.(broker);
  let isStopping = false;
  const stop = () => {
    // A second signal: the person does not want to wait. A worker may get one from the system, and one from its supervisor.
    if (isStopping && !more.group) process.exit(exitCodes.interrupted);
    if (isStopping) return;
    isStopping = true;
    void broker
      .drain()
      .then(onStopped)
      .then(() => process.exit(exitCodes.ok));
  };
  for (const signal of ['SIGTERM', 'SIGINT', stopsAt] as const) if (signal) process.on(signal, stop);
  try {
    await broker.start({ waits });
  } catch (error) {
    // Why it did not start is what counts.
    await broker.stop().catch(() => {});
    throw new CommandFailure(startFault(error), exitCodes.unavailable);
  }
  return broker;
}

function startFault(error: unknown): string {
  const { message, code } = error as Error & { code?: string };
  if (code === 'EADDRINUSE')
    return `${message}: is another broker running? Give another SOLESEAT_PORT or SOLESEAT_ADMIN_PORT`;
  return error instanceof StoreUnavailable ? `${message}.\n${error.why.next}` : message;
}
