/** A receiver of webhooks in a process of its own: notes the order of what it gets, and answers after so many ms. */
import { createServer } from 'node:http';

const delayMs = Number(process.argv[2] ?? 0);
const seen = new Set();
const last = new Map();
let repeated = 0;
let disorder = 0;

const server = createServer((request, response) => {
  let body = '';
  request.on('data', (chunk) => {
    body += chunk;
  });
  request.on('end', () => {
    note(String(request.headers['webhook-id']), JSON.parse(body).data);
    if (delayMs > 0) setTimeout(() => response.writeHead(204).end(), delayMs);
    else response.writeHead(204).end();
  });
});

function note(id, { org, user, details }) {
  if (seen.has(id)) {
    repeated += 1;
    return;
  }
  seen.add(id);
  const who = `${org} ${user}`;
  const number = Number(details.note);
  if (number <= (last.get(who) ?? -1)) disorder += 1;
  last.set(who, number);
}

server.listen(0, '127.0.0.1', () => process.send({ port: server.address().port }));
process.on('message', (message) => {
  if (message === 'count') process.send({ count: seen.size, repeated, disorder });
  if (message === 'ids') process.send({ ids: [...seen] });
});
process.on('disconnect', () => process.exit());
