export type ProxyName = 'nginx' | 'haproxy' | 'caddy' | 'apache';

interface ProxyKind {
  /** The file in `deploy/proxies/`. */
  readonly file: string;
  readonly args: (file: string, folder: string) => string[];
  readonly reloadBy: NodeJS.Signals;
  /** The configuration with another port outside, and with all that it writes in the folder. */
  readonly placed: (text: string, port: number) => string;
  /** What the file does not say about silent connections is one second here. */
  readonly impatient: (text: string) => string;
  /** What keeps a silent WebSocket open; null where the proxy never cuts one. */
  readonly patience: RegExp | null;
}

/** How each proxy is started, and how tests change the configuration that we ship. */
export const proxyKinds: Readonly<Record<ProxyName, ProxyKind>> = {
  nginx: {
    file: 'nginx.conf',
    args: (file, folder) => [
      ...['-p', folder, '-e', 'stderr', '-c', file],
      ...['-g', 'daemon off; pid nginx.pid; error_log stderr;'],
    ],
    reloadBy: 'SIGHUP',
    placed: (text, port) =>
      text
        .replace('listen 80;', `listen 127.0.0.1:${port};`)
        .replace('http {', `http {\n  access_log off;\n${nginxFolders}`),
    impatient: (text) => text.replace('http {', 'http {\n  proxy_read_timeout 1s;\n  proxy_send_timeout 1s;'),
    patience: /^ *proxy_read_timeout 60s;$/m,
  },
  haproxy: {
    file: 'haproxy.cfg',
    args: (file) => ['-W', '-db', '-f', file],
    reloadBy: 'SIGUSR2',
    placed: (text, port) => text.replace('bind :80', `bind 127.0.0.1:${port}`),
    impatient: (text) => text.replace(/timeout (client|server) 60s/g, 'timeout $1 1s'),
    patience: /^ *timeout tunnel 60s$/m,
  },
  caddy: {
    file: 'Caddyfile',
    args: (file) => ['run', '--adapter', 'caddyfile', '--config', file],
    reloadBy: 'SIGUSR1',
    placed: (text, port) => text.replace(':80 {', `http://:${port} {`),
    impatient: (text) =>
      text.replace(
        'admin off',
        'admin off\n\tservers {\n\t\ttimeouts {\n\t\t\tread_header 1s\n\t\t\tidle 1s\n\t\t}\n\t}',
      ),
    patience: null,
  },
  apache: {
    file: 'apache.conf',
    args: (file, folder) => ['-D', 'FOREGROUND', '-d', folder, '-f', file],
    reloadBy: 'SIGUSR1',
    placed: (text, port) =>
      `${apacheServer(text, port)}\n${text.replace('<VirtualHost *:80>', `<VirtualHost 127.0.0.1:${port}>`)}`,
    impatient: (text) => `Timeout 1\nProxyTimeout 1\n${text}`,
    patience: / timeout=60/,
  },
};

/** An unpacked nginx would write into the system's folders. */
const nginxFolders = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
  .map((one) => `  ${one}_temp_path ${one};`)
  .join('\n');

/** The part that Debian's package brings, with the modules that our file asks for and no others. */
function apacheServer(text: string, port: number): string {
  const asked = /a2enmod (.*)$/m.exec(text)?.[1]?.split(' ') ?? [];
  const modules = ['authz_core', 'reqtimeout', ...asked];
  return [
    ...modules.map((name) => `LoadModule ${name}_module MODULES/mod_${name}.so`),
    'ServerName localhost',
    `Listen 127.0.0.1:${port}`,
    'PidFile apache.pid',
    'ErrorLog error.log',
    // As root it must have somebody to become.
    ...(process.getuid?.() === 0 ? ['User nobody', 'Group nogroup'] : []),
    'RequestReadTimeout header=20-40,minrate=500 body=10,minrate=500',
  ].join('\n');
}
