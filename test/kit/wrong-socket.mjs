import { get } from 'node:http';
import { WebSocket } from 'ws';

/** A token for wrong-client.mjs; and wrong where `has` says so. */
export function tokenFrom(url, has) {
  return new Promise((resolve, reject) => {
    const request = get(url, (response) => {
      if (response.statusCode !== 200) reject(new Error(`status ${response.statusCode}`));
      response.on('data', (data) => resolve(String(data)));
    });
    request.on('error', reject);
    if (!has('token-no-timeout')) request.setTimeout(15_000, () => request.destroy(new Error('it hangs')));
  });
}

/** Dials for wrong-client.mjs; and wrong where `has` says so. */
export function openSocket(has, address, token) {
  const url = has('token-in-url') ? `${address}?token=${token}` : address;
  return new WebSocket(url, has('no-subprotocol') ? [] : ['soleseat.v1'], {
    autoPong: !has('no-pong'),
    ...(has('one-frame') && { maxFragments: 2 }),
    ...(has('token-in-header') && { headers: { Authorization: `Bearer ${token}` } }),
  });
}

/** Null for what cannot be read. */
export function messageIn(has, text) {
  try {
    const message = JSON.parse(text);
    if (typeof message?.type !== 'string') throw new Error('no message');
    return message.type === 'lease' && typeof message.ttlMs !== 'number' ? null : message;
  } catch (error) {
    if (has('dies-unreadable')) throw error;
    return null;
  }
}
