// A small program that uses the client library, as a process of its own: URL, TOKEN and MACHINE in the environment.
// It prints `holds true` and `holds false` at each change, and each event with its name.
import { connect } from '../../packages/client/dist/esm/node.js';

const { URL: url, TOKEN: token, MACHINE: id } = process.env;
const client = connect({
  url,
  getToken: () => token,
  machine: { id, name: id },
  backoff: { firstMs: 100, maxMs: 500 },
});
let held = false;

function look() {
  if (client.holdsLease() === held) return;
  held = !held;
  console.log(`holds ${held}`);
}

for (const name of ['welcome', 'lease', 'leaseExpired', 'evicted', 'conflict', 'reconnecting', 'closed'])
  client.on(name, () => {
    look();
    console.log(name);
  });
setInterval(look, 10);
