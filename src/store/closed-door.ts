import { connect } from 'node:net';
import type { Redis } from 'ioredis';
import type { RedisAddress } from '../base/redis-url.js';
import { causeOf } from './causes.js';

const LISTEN_MS = 500;
/** Far more than any reason takes. */
const MAX_CHARS = 2000;

/** Where a connection was made to last, as long as it has not become ready: Sentinels name addresses of their own. */
const unanswered = new WeakMap<Redis, RedisAddress>();

/**
 * A Redis that takes no more connections, or none from elsewhere, says so and closes at once. ioredis writes first, which
 * then fails, and what was said is lost. So after such an end Redis is listened to once more, without a word. With TLS it
 * says nothing.
 */
export function watchDoor(redis: Redis, onRefused: (error: Error) => void): void {
  let isExplained = false;
  redis.on('connect', () => {
    isExplained = false;
    const address = addressOf(redis);
    if (address !== null && !redis.options.tls) unanswered.set(redis, address);
  });
  redis.on('ready', () => unanswered.delete(redis));
  redis.on('error', (error: Error) => {
    isExplained ||= causeOf(error)?.kind !== 'lost';
  });
  redis.on('close', () => {
    if (isExplained || redis.status === 'end') return;
    void saidAtDoor(redis).then((said) => {
      if (said !== null) onRefused(said);
    });
  });
}

/** What Redis says to a connection that it closes at once. Null where it was never reached, or says nothing. */
export function saidAtDoor(redis: Redis): Promise<Error | null> {
  const address = unanswered.get(redis);
  unanswered.delete(redis);
  if (address === undefined) return Promise.resolve(null);
  return new Promise((resolve) => {
    let text = '';
    const socket = connect(address);
    const finish = () => {
      socket.destroy();
      const said = /^-(.*?)\r\n/.exec(text)?.[1];
      resolve(said === undefined ? null : new Error(said));
    };
    socket.setEncoding('utf8').setTimeout(LISTEN_MS, finish);
    socket.on('data', (chunk: string) => {
      text += chunk;
      if (text.includes('\r\n') || text.length > MAX_CHARS) finish();
    });
    // The next attempt of ioredis tells what is wrong then.
    socket.on('error', finish).on('close', finish);
  });
}

/** A socket that is closed already does not know its other end, and the options do not know a master of Sentinels. */
function addressOf({ options, stream }: Redis): RedisAddress | null {
  const { remoteAddress, remotePort } = stream;
  if (remoteAddress !== undefined && remotePort !== undefined)
    return { host: remoteAddress, port: remotePort };
  const { sentinels, host, port } = options;
  return sentinels || host === undefined || port === undefined ? null : { host, port };
}
