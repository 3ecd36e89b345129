import type { KeyRing } from '../auth/keys.js';
import type { TlsPair } from '../gateway/tls.js';
import type { RedisTls } from '../store/connectors.js';

/** What may be read anew while a node runs. Null leaves a part as it is. */
export interface Renewed {
  readonly keys: KeyRing | null;
  readonly adminKeys: KeyRing | null;
  readonly ticketKeys: KeyRing | null;
  readonly tls: TlsPair | null;
  /** What Redis is met with under TLS. */
  readonly redisTls: RedisTls | null;
  /** With the user and the password that are good now. */
  readonly redisUrl: string;
  readonly logLevel: string;
}
