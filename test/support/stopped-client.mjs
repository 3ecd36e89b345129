// A desktop program in a process of its own, which can be stopped. Says each line of its input, and reports "open" and
// each message it was told.
import { createInterface } from 'node:readline';
import { WebSocket } from 'ws';

const [url, token] = process.argv.slice(2);
const ws = new WebSocket(url, 'soleseat.v1', { headers: { authorization: `Bearer ${token}` } });
ws.on('open', () => console.log('open'));
ws.on('message', (data) => console.log(String(data)));
ws.on('close', () => process.exit(0));
createInterface({ input: process.stdin }).on('line', (line) => ws.send(line, () => console.log('said')));
