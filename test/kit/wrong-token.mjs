import { get } from 'node:http';

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
