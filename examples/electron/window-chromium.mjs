import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { WebSocketServer } from 'ws';

const folder = fileURLToPath(new URL('page/', import.meta.url));
const files = ['index.html', 'page.css', 'page.js', 'bridge.js'];
const types = { '.html': 'text/html', '.css': 'text/css', '.js': 'text/javascript' };

/**
 * Opens the page in a window of Chromium, for those who have no Electron. A server on the loopback address gives it the page,
 * and a WebSocket takes the place of Electron's messages. CHROMIUM names the browser, CHROMIUM_FLAGS has more flags for it.
 */
export async function openWindow({ width, height }) {
  // Other programs and pages on this computer do not know the way.
  const way = `/${randomUUID()}/`;
  const server = createServer((request, response) => answer(request, response, way));
  const sockets = new WebSocketServer({ server, path: way });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const profile = mkdtempSync(join(tmpdir(), 'notes-'));
  const flags = [
    `--app=http://127.0.0.1:${server.address().port}${way}`,
    `--user-data-dir=${profile}`,
    `--window-size=${width},${height}`,
    ...['--no-first-run', '--no-default-browser-check', '--disable-sync', '--disable-background-networking'],
    ...(process.env.CHROMIUM_FLAGS ?? '').split(' ').filter(Boolean),
  ];
  const browser = spawn(process.env.CHROMIUM || 'chromium', flags, { stdio: 'ignore' });
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => browser.kill());
  let last;
  const handle = {
    onOrder: () => {},
    onClosed: () => {},
    show(view) {
      last = view;
      for (const socket of sockets.clients) socket.send(JSON.stringify(view));
    },
  };
  sockets.on('connection', (socket) => {
    if (last) handle.show(last);
    socket.on('message', (data) => handle.onOrder(...JSON.parse(data)));
  });
  browser.once('exit', (code) => {
    if (code) console.error(`${browser.spawnfile} ended with ${code}`);
    rmSync(profile, { recursive: true, force: true });
    handle.onClosed();
  });
  await once(browser, 'spawn');
  return handle;
}

function answer({ url }, response, way) {
  const name = url === way ? 'index.html' : url.slice(way.length);
  if (!url.startsWith(way) || !files.includes(name)) return response.writeHead(404).end();
  let body = readFileSync(join(folder, name), 'utf8');
  // In Electron the preload script does that.
  if (name === 'index.html') body = body.replace('<script', '<script src="bridge.js"></script>\n    <script');
  response.writeHead(200, { 'content-type': `${types[extname(name)]}; charset=utf-8` }).end(body);
}
