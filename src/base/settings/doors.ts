import { spec } from './spec.js';

/** The two ports: addresses, TLS, and what is let in (promise 11). */
export const doorsSettings = {
  host: spec(
    'SOLESEAT_HOST',
    'text',
    '::',
    'Public address, for clients; `::` is all addresses, of IPv6 and of IPv4. `dev`: 127.0.0.1.',
  ),
  port: spec('SOLESEAT_PORT', 'port', '8080', 'Public port; 0 picks a free one.'),
  adminHost: spec('SOLESEAT_ADMIN_HOST', 'text', '127.0.0.1', 'Admin address.'),
  adminPort: spec('SOLESEAT_ADMIN_PORT', 'port', '9090', 'Admin port; 0 picks a free one.'),
  connectionsPerAddress: spec(
    'SOLESEAT_CONNECTIONS_PER_ADDRESS',
    'count',
    '5000',
    'Open connections from one address (an office sits behind one; in IPv6, from one /64 network); 0 = no limit, as behind a load balancer that hides the addresses.',
  ),
  handshakesPerAddress: spec(
    'SOLESEAT_HANDSHAKES_PER_ADDRESS',
    'count',
    '20000',
    'Handshakes from one address a minute on this node, refused ones included, the rest get 429; 0 = no limit, as where SOLESEAT_CONNECTIONS_PER_ADDRESS is 0.',
  ),
  handshakesPerSecond: spec(
    'SOLESEAT_HANDSHAKES_PER_SECOND',
    'count',
    '2000',
    'Handshakes a second on this node, the rest get 503; 0 = no limit.',
  ),
  helloTimeoutMs: spec(
    'SOLESEAT_HELLO_TIMEOUT_MS',
    'durationMs',
    '5000',
    'Time for a complete `hello` before close 4408.',
  ),
  messageBytes: spec('SOLESEAT_MESSAGE_BYTES', 'bytes', '16384', 'Largest message from a client.'),
  queueBytes: spec(
    'SOLESEAT_QUEUE_BYTES',
    'bytes',
    '65536',
    'Unsent bytes of one connection before close 4008.',
  ),
  importMaxBytes: spec(
    'SOLESEAT_IMPORT_MAX_BYTES',
    'bytes',
    '16777216',
    'Size of a file of licenses. Four are read at a time, each of another org.',
  ),
  importMaxLines: spec('SOLESEAT_IMPORT_MAX_LINES', 'count', '500000', 'Lines of a file of licenses.'),
  costlyPerMinute: spec(
    'SOLESEAT_COSTLY_PER_MINUTE',
    'count',
    '60',
    'Imports, exports, recounts and test deliveries of one admin token a minute, of each kind; 0 = no limit.',
  ),
  messagesPerRenewal: spec(
    'SOLESEAT_MESSAGES_PER_RENEWAL',
    'count',
    '100',
    'Messages and pings of one connection per renewal interval before close 4429.',
  ),
  origins: spec(
    'SOLESEAT_ORIGINS',
    'origins',
    '',
    "Origins whose pages may connect, beside the broker's own host. Requests without Origin are programs and pass.",
  ),
  consoleOrigins: spec(
    'SOLESEAT_CONSOLE_ORIGINS',
    'origins',
    '',
    'Where the console is reached from outside, like `https://desk.example.com`. Their hosts are names of the admin port, beside IP addresses, `localhost` and names without a dot.',
  ),
  trustedProxies: spec(
    'SOLESEAT_TRUSTED_PROXIES',
    'list',
    '',
    'Addresses or networks of proxies (or `loopback`, `linklocal`, `uniquelocal`) that tell the true address of a client. Empty: none is believed.',
  ),
  proxyProtocol: spec(
    'SOLESEAT_PROXY_PROTOCOL',
    'choice',
    'off',
    'Whether trusted proxies tell it by the PROXY protocol (version 1 or 2) on the public port, in place of a header. `on`: a connection without it, or of another peer, is closed.',
    ['off', 'on'],
  ),
  forwardedHeader: spec(
    'SOLESEAT_FORWARDED_HEADER',
    'choice',
    'x-forwarded-for',
    'The one header by which trusted proxies tell it.',
    ['x-forwarded-for', 'forwarded', 'x-real-ip'],
  ),
  tlsCertFile: spec(
    'SOLESEAT_TLS_CERT',
    'file',
    '',
    'A PEM file with the certificate of the public port, then those between it and its root. With SOLESEAT_TLS_KEY, clients connect by `wss://`.',
  ),
  tlsKeyFile: spec(
    'SOLESEAT_TLS_KEY',
    'file',
    '',
    "A PEM file with that certificate's private key, not encrypted.",
  ),
  drainMs: spec(
    'SOLESEAT_DRAIN_MS',
    'durationMs',
    '10000',
    'On SIGTERM, sessions are moved spread over this time. `dev`: 1000.',
  ),
} as const;
