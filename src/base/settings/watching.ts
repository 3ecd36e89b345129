import { spec } from './spec.js';

/** What is logged, measured and traced, and how commands find a broker. */
export const watchingSettings = {
  logLevel: spec('SOLESEAT_LOG_LEVEL', 'choice', 'info', 'Least severe level that is logged. `dev`: warn.', [
    'debug',
    'info',
    'warn',
    'error',
    'silent',
  ]),
  logUsers: spec(
    'SOLESEAT_LOG_USERS',
    'choice',
    'hashed',
    'How the log names users: `hashed` (docs/operations.md says how to find one) or `plain`.',
    ['hashed', 'plain'],
  ),
  metricsEveryMs: spec(
    'SOLESEAT_METRICS_EVERY_MS',
    'durationMs',
    '10000',
    'Time between two looks at Redis for its metrics and those of licenses.',
  ),
  metricsOrgs: spec(
    'SOLESEAT_METRICS_ORGS',
    'count',
    '50',
    'Orgs with license metrics of their own; those beyond are summed.',
  ),
  otlpEndpoint: spec(
    'SOLESEAT_OTLP_ENDPOINT',
    'url',
    '',
    'Where traces go by OTLP over HTTP, like `http://127.0.0.1:4318`. Empty: no traces.',
  ),
  adminUrl: spec(
    'SOLESEAT_ADMIN_URL',
    'text',
    'http://127.0.0.1:9090',
    'For the commands that ask a broker: its admin address. Read from the environment only, and not by the broker.',
  ),
  adminToken: spec(
    'SOLESEAT_ADMIN_TOKEN',
    'secret',
    '',
    'For the commands that ask a broker: the admin token. Read from the environment only, and not by the broker.',
  ),
} as const;
