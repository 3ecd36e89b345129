import { Broker } from '../broker.js';
import { StoreUnavailable } from '../store/errors.js';
import { type Configuration, type ConfigurationSources, loadConfiguration } from './configuration.js';
import { CommandFailure, exitCodes } from './failure.js';

/** `soleseat serve`: a broker on the Redis that `REDIS_URL` names, until a signal drains it. */
export async function serve(sources: ConfigurationSources): Promise<void> {
  await startBroker(loadConfiguration(sources));
}

/** Starts a broker that drains at SIGTERM or SIGINT and then ends the process through `onStopped`. */
export async function startBroker(
  { settings, keys, adminKeys, tls }: Configuration,
  onStopped: () => Promise<void> = async () => {},
  development: ConstructorParameters<typeof Broker>[2] = {},
): Promise<Broker> {
  const broker = new Broker(settings, keys, { adminKeys, tls, ...development });
  try {
    await broker.start();
  } catch (error) {
    // Why it did not start is what counts.
    await broker.stop().catch(() => {});
    throw new CommandFailure(startFault(error), exitCodes.unavailable);
  }
  let isStopping = false;
  const stop = () => {
    // A second signal: the person does not want to wait.
    if (isStopping) process.exit(exitCodes.interrupted);
    isStopping = true;
    void broker
      .drain()
      .then(onStopped)
      .then(() => process.exit(exitCodes.ok));
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  return broker;
}

function startFault(error: unknown): string {
  const { message, code } = error as Error & { code?: string };
  if (code === 'EADDRINUSE')
    return `${message}: is another broker running? Give another SOLESEAT_PORT or SOLESEAT_ADMIN_PORT`;
  return error instanceof StoreUnavailable ? `${message}.\n${error.why.next}` : message;
}
