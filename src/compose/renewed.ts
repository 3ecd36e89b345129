import type { KeyRing } from '../auth/keys.js';
import type { TlsPair } from '../gateway/tls.js';

/** What may be read anew while a node runs. Null leaves a part as it is. */
export interface Renewed {
  readonly keys: KeyRing | null;
  readonly adminKeys: KeyRing | null;
  readonly tls: TlsPair | null;
  readonly logLevel: string;
}
