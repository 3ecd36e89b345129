import type { Check } from '../check.js';
import { newGrant } from '../grants.js';
import { expectThat, nameOf, type Stage } from '../stage.js';

/** Leaves without giving the seat back, and sees what the broker sees of it. */
async function leaves(stage: Stage, leave: () => void): Promise<void> {
  const { link } = await stage.seated();
  leave();
  const ended = await stage.closed(link);
  await stage.exit();
  expectThat(!link.has('release'), 'it released the seat');
  expectThat(ended.code !== 1000, `it closed with ${nameOf(ended)}, which gives the seat back`);
}

/** How a client goes. */
export const leavingChecks: readonly Check[] = [
  {
    id: 'release',
    title: 'gives the seat back, lets go at once, and ends',
    why: 'another machine need not wait for the TTL, nor ask',
    tags: ['release'],
    async run(stage) {
      const { link } = await stage.seated();
      stage.tell('release');
      await stage.message(link, 'release');
      await stage.holds(false);
      link.closeFor('released');
      await stage.exit();
      expectThat(stage.broker.dials.length === 1, 'it dialled again after its release');
    },
  },
  {
    id: 'release-bare',
    title: 'takes any 1000 after its own release for the answer',
    why: 'some libraries lose the reason of a close',
    tags: ['close-1000', 'release'],
    async run(stage) {
      const { link } = await stage.seated();
      stage.tell('release');
      await stage.message(link, 'release');
      link.close(1000);
      await stage.exit();
      expectThat(stage.broker.dials.length === 1, 'it dialled again after its release');
    },
  },
  {
    id: 'release-silent',
    title: 'ends although nobody answers its release',
    why: 'a program that cannot be closed is killed, or worse, keeps a computer from shutting down',
    tags: ['release-timeout'],
    async run(stage) {
      const { link } = await stage.seated(newGrant({ ttlMs: 90_000, renewEveryMs: 30_000 }));
      stage.tell('release');
      await stage.message(link, 'release');
      link.goDeaf();
      await stage.exit(2_000);
    },
  },
  {
    id: 'release-broken',
    title: 'does not come back where the connection breaks after its release',
    why: 'the person has closed the program',
    tags: ['release'],
    async run(stage) {
      const { link } = await stage.seated();
      stage.tell('release');
      await stage.message(link, 'release');
      link.cut();
      await stage.exit();
      expectThat(stage.broker.dials.length === 1, 'it dialled again after its release');
    },
  },
  {
    id: 'release-offline',
    title: 'ends at a release while there is no connection',
    why: 'there is nobody to give the seat back to: it ends with its TTL',
    tags: ['release-timeout'],
    async run(stage) {
      const { link } = await stage.seated(newGrant());
      stage.broker.stopListening();
      link.cut();
      await stage.pass(300);
      stage.tell('release');
      await stage.exit(2_000);
    },
  },
  {
    id: 'quit',
    title: 'leaves without a release so that the seat stays',
    why: 'a program that restarts to update itself wants its session back',
    tags: ['leave-not-1000'],
    run: (stage) => leaves(stage, () => stage.tell('quit')),
  },
  {
    id: 'input-end',
    title: 'leaves in the same way where its standard input ends',
    why: 'whoever started it is gone, and nobody can type any more',
    tags: ['leave-not-1000'],
    run: (stage) => leaves(stage, () => stage.program.closeInput()),
  },
];
