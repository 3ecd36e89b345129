import type { Check } from '../check.js';
import { laterThan, newGrant } from '../grants.js';
import { expectThat } from '../stage.js';

/** Long enough for a client to stumble over what it was sent. */
const STUMBLE_MS = 1_200;

/** What a client reads. */
export const messageChecks: readonly Check[] = [
  {
    id: 'fragments',
    title: 'reads a message that comes in several frames, with a ping between',
    why: 'a proxy may cut messages anywhere',
    tags: ['fragments'],
    async run(stage) {
      stage.start();
      const link = await stage.connection('the first handshake');
      const { sessionId, epoch, ttlMs, renewEveryMs } = newGrant();
      const text = JSON.stringify({
        type: 'welcome',
        sessionId,
        epoch,
        resumed: false,
        ttlMs,
        renewEveryMs,
        license: null,
        displaced: { machine: { name: 'Zoës Läptöp 💺' } },
        elapsedMs: link.elapsedMs,
      });
      link.sendFragments([text.slice(0, 1), text.slice(1, 40), text.slice(40, 41), '', text.slice(41)]);
      await stage.holds(true);
      await stage.keepsSeat(link, 500, 'after a fragmented message');
    },
  },
  {
    id: 'unknown-type',
    title: 'ignores a message of a type that it does not know',
    why: 'later versions say more, and older clients must live with it',
    tags: ['ignore-unknown'],
    async run(stage) {
      stage.start();
      const link = await stage.connection('the first handshake');
      link.sendText('{"type":"weather","inMs":5}');
      const grant = newGrant();
      link.welcome(grant);
      await stage.holds(true);
      link.sendText('{"type":"idle_warning","inMs":60000,"elapsedMs":3}');
      link.sendText('{"type":"constructor"}');
      link.lease(grant);
      await stage.keepsSeat(link, STUMBLE_MS, 'after a type that it does not know');
    },
  },
  {
    id: 'unknown-field',
    title: 'ignores fields that it does not know',
    why: 'later versions add fields to messages of today',
    tags: ['ignore-unknown'],
    async run(stage) {
      stage.start();
      const link = await stage.connection('the first handshake');
      const grant = newGrant();
      link.welcome(grant, { hue: { limitMs: 1, deep: [[{}]] }, ticket: 'eyJ', license: null });
      await stage.holds(true);
      link.lease(grant, { colour: 'green', ttl: 1, ttlms: 1 } as object);
      await stage.keepsSeat(link, STUMBLE_MS, 'after a field that it does not know');
    },
  },
  {
    id: 'null',
    title: 'takes null for left out',
    why: 'serialisers of several languages send null for what was never set',
    tags: ['null-left-out'],
    async run(stage) {
      stage.start();
      const link = await stage.connection('the first handshake');
      const grant = newGrant();
      link.sendText(
        JSON.stringify({
          ...{ type: 'welcome', sessionId: grant.sessionId, epoch: grant.epoch, resumed: false },
          ...{ ttlMs: grant.ttlMs, renewEveryMs: grant.renewEveryMs, elapsedMs: 0 },
          ...{ license: null, displaced: null, idle: null },
        }),
      );
      await stage.holds(true);
      link.sendText(
        '{"type":"error","code":"unsupported","message":"x","retryAfterMs":null,"elapsedMs":null}',
      );
      link.sendText(JSON.stringify({ type: 'lease', epoch: grant.epoch, ttlMs: 15_000, elapsedMs: null }));
      await stage.keepsSeat(link, STUMBLE_MS, 'after a null');
      link.sendText('{"type":"evicted","reason":"taken_over","by":null,"at":1,"epoch":1999999999999999}');
      await stage.holds(false);
    },
  },
  {
    id: 'unreadable',
    title: 'ignores a message that it cannot read',
    why: 'one broken message must not cost a seat, nor end the program',
    tags: ['ignore-unreadable'],
    async run(stage) {
      const { link, grant } = await stage.seated();
      for (const text of ['{"type":', '[]', '7', 'null', '{"epoch":1}', '{"type":7}']) link.sendText(text);
      link.sendText(`{"type":"lease","epoch":${grant.epoch},"ttlMs":"long"}`);
      link.lease(grant);
      await stage.keepsSeat(link, STUMBLE_MS, 'after a message that cannot be read');
      const later = laterThan(grant);
      link.lease(later);
      link.close(1011);
      const next = await stage.connection('a handshake after the connection broke');
      expectThat(next.hello?.resume?.epoch === later.epoch, 'it reads nothing any more after such a message');
    },
  },
  {
    id: 'pong',
    title: 'answers a ping',
    why: 'the broker closes with 4014 no_pong where two pings in a row stay unanswered',
    tags: ['pong'],
    async run(stage) {
      const { link } = await stage.seated();
      link.ping('are you there');
      await stage.must('a pong', () => link.pongs.includes('are you there'));
    },
  },
];
