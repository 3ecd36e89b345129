import { CONNECT_PATH, SUBPROTOCOL } from '#client/protocol/messages.js';
import type { Check } from '../check.js';
import { newGrant } from '../grants.js';
import { expectThat, tokenOf } from '../stage.js';

/** How a client introduces itself. */
export const helloChecks: readonly Check[] = [
  {
    id: 'hello',
    title: 'says hello with its machine, and holds the seat when it is welcomed',
    why: 'without it no broker knows which computer asks for the seat',
    tags: ['hello-first', 'machine-id'],
    async run(stage) {
      const { link } = await stage.seated();
      const machine = link.hello?.machine;
      expectThat(machine?.id === stage.machineId, 'machine.id is not SEAT_MACHINE_ID');
      expectThat(machine?.name === stage.machineName, 'machine.name is not SEAT_MACHINE_NAME');
    },
  },
  {
    id: 'handshake',
    title: 'asks for /v1/connect and offers soleseat.v1',
    why: 'the broker answers 404 or 400 to anything else',
    tags: ['offer-subprotocol'],
    async run(stage) {
      stage.start();
      const dial = await stage.dial('the first handshake');
      const path = dial.request.url?.split('?')[0];
      const offered = (dial.request.headers['sec-websocket-protocol'] ?? '').split(',');
      expectThat(path === CONNECT_PATH, `it asks for ${path}`);
      expectThat(
        offered.some((one) => one.trim() === SUBPROTOCOL),
        `it offers "${offered.join(',')}", without ${SUBPROTOCOL}`,
      );
    },
  },
  {
    id: 'token',
    title: 'shows the token that the token server gave, and never in the URL',
    why: 'URLs end in logs of proxies, and whoever reads the token there has the seat',
    tags: ['token-not-in-url'],
    async run(stage) {
      stage.start();
      const dial = await stage.dial('the first handshake');
      const link = dial.accept();
      const hello = await stage.must('a hello', () => link.hello);
      const token = tokenOf(dial, hello);
      expectThat(!/[?&]/.test(dial.request.url ?? ''), 'its URL has a query');
      expectThat(
        token !== null && stage.tokens.given.includes(token),
        'it shows no token of the token server, neither in hello nor in the handshake',
      );
    },
  },
  {
    id: 'instance',
    title: 'names its process by instance, and its attempt by a number',
    why: 'without them an old hello that lay in a buffer can end the session',
    tags: ['hello-instance'],
    async run(stage) {
      const { link } = await stage.seated();
      expectThat(link.hello?.instance !== undefined, 'hello has no instance');
      expectThat(link.hello?.attempt !== undefined, 'hello has no attempt');
    },
  },
  {
    id: 'first-claim',
    title: 'asks for the seat with takeover when a person starts it',
    why: 'starting the program on another machine is how a person moves the seat',
    tags: ['takeover-by-person'],
    async run(stage) {
      const { link } = await stage.seated();
      const policy = link.hello?.onConflict ?? 'takeover';
      expectThat(policy === 'takeover', `its first hello has onConflict "${policy}"`);
      expectThat(link.hello?.resume === undefined, 'its first hello has a resume');
    },
  },
  {
    id: 'second-process',
    title:
      'has another instance in a second process of the same machine, and gives way where that one is told so',
    why: 'two processes of one instance take each other for their own older connection',
    tags: ['instance-new'],
    async run(stage) {
      const { link, grant } = await stage.seated();
      // The first process must not come back while the second one starts.
      link.renew(grant);
      const second = stage.start();
      const other = await stage.connection('the handshake of the second process');
      other.send({
        type: 'conflict',
        holder: { machine: { name: stage.machineName }, since: Date.now(), sameMachine: true },
      });
      expectThat(
        other.hello?.instance !== undefined && other.hello.instance !== link.hello?.instance,
        'both processes have the same instance',
      );
      await stage.takeOver(other, second);
      other.welcome(newGrant());
      await stage.holds(true, 0, second);
    },
  },
];
