import { CommandFailure, exitCodes } from '../failure.js';

/** The admin address, as `http://host:port`. Throws where it is none: its path and log-in would be lost on the way. */
export function originOf(address: string): string {
  const url = URL.canParse(address) ? new URL(address) : null;
  const isPlain = url !== null && url.href === `${url.origin}/`;
  if (isPlain && /^https?:$/.test(url.protocol)) return url.origin;
  throw new CommandFailure(
    '--url (or SOLESEAT_ADMIN_URL) must be like http://127.0.0.1:9090 or https://desk.example.com, without a path',
    exitCodes.usage,
  );
}

/** Throws what a token cannot be, before it stands in an error about headers. */
export function checkToken(token: string): void {
  if (/^[\w-]+\.[\w-]+\.[\w-]+$/.test(token)) return;
  throw new CommandFailure(
    'an admin token is a JWT: three parts of base64url with dots between. What --token or SOLESEAT_ADMIN_TOKEN holds is none.',
    exitCodes.usage,
  );
}

/** Throws what cannot stand in a path: readers of URLs drop the segments `.` and `..`, also when they are escaped. */
export function checkName(name: string): void {
  if (!/^\.{0,2}$/.test(name)) return;
  throw new CommandFailure(
    `"${name}" cannot be the name of a user, an org or a machine here: no URL can hold it`,
    exitCodes.usage,
  );
}
