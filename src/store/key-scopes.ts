import { type KeyName, redisKeys } from './redis-keys.js';

/** What a key is about: the placeholders in its name. */
export type KeyScope = 'server' | 'index' | 'org' | 'user' | 'request' | 'webhook';

export function scopeOf(name: KeyName): KeyScope {
  const { key } = redisKeys[name];
  if (key.includes('<user>')) return 'user';
  if (key.includes('<request>')) return 'request';
  if (key.includes('<webhook>')) return 'webhook';
  if (key.includes('<org>')) return 'org';
  return key.includes('<index>') ? 'index' : 'server';
}
