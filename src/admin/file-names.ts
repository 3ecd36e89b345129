import { dayOf } from '../base/calendar.js';
import type { Store } from '../store/store.js';

interface ExportedFile {
  readonly org: string;
  /** What is in it: `licenses`. */
  readonly what: string;
  /** The one user whom it is about. */
  readonly user?: string | undefined;
  readonly extension: 'csv' | 'ndjson';
}

interface Reply {
  header(name: string, value: string): unknown;
}

/** Names an exported file after the org and its present day, as `acme-licenses-2027-01-31.csv` (RFC 6266). */
export async function nameFile(
  reply: Reply,
  { org, what, user, extension }: ExportedFile,
  { orgs, redisClock }: Pick<Store, 'orgs' | 'redisClock'>,
): Promise<void> {
  const today = dayOf(redisClock.nowMs() ?? Date.now(), await orgs.timeZone(org));
  const parts = [org, ...(user === undefined ? [] : [user]), what, today].map(asFileName);
  const name = `${parts.join('-')}.${extension}`;
  // Readers that know no `filename*` get what is left of it in ASCII.
  const plain = name.replaceAll(/[^\x20-\x7e]/g, '_');
  reply.header('Content-Disposition', `attachment; filename="${plain}"; filename*=UTF-8''${encoded(name)}`);
}

/** What no file system, and no shell, takes for anything but a letter. */
function asFileName(text: string): string {
  return text.replaceAll(/[\p{C}\s/\\:*?"<>|;%'`$&]+/gu, '_').replace(/^[.-]+/, '_');
}

function encoded(text: string): string {
  return encodeURIComponent(text).replaceAll(
    /['()*!]/g,
    (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
