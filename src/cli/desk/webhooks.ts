import type { Command } from 'commander';
import type { AdminAnswers, RowOf } from '../../protocol/admin-answers.js';
import { type Desk, type DeskOptions, deskFor, durationArgument, when, withDesk } from './desk.js';

type Webhook = AdminAnswers['getWebhook'];

type ParkedEvent = RowOf<'listParkedEvents'>;

interface WebhookOptions extends DeskOptions {
  readonly to?: string;
  readonly types?: string;
  readonly orgs?: string;
  readonly description?: string;
}

const PATH = '/v1/admin/webhooks';
const pathOf = (id: string, ...more: string[]) => [PATH, encodeURIComponent(id), ...more].join('/');

/** `soleseat webhook …`: an owner's. */
export function registerWebhooks(program: Command): void {
  const webhook = program.command('webhook').description('URLs that events are posted to; an owner’s');

  withDesk(webhook.command('list'))
    .description('every webhook, and how it stands')
    .action(async (options: DeskOptions) => {
      const desk = await deskFor(options);
      const { items: rows } = await desk.api.call<AdminAnswers['listWebhooks']>('GET', PATH);
      const columns = {
        id: (one: Webhook) => one.id,
        url: (one: Webhook) => one.url,
        state: (one: Webhook) => (one.reason === null ? one.state : `${one.state}: ${one.reason}`),
        types: (one: Webhook) => one.types?.join(' ') ?? 'all',
        orgs: (one: Webhook) => one.orgs?.join(' ') ?? 'all',
        waiting: (one: Webhook) => one.waiting,
        'put aside': (one: Webhook) => one.parked,
      };
      desk.showRows(rows, columns, 'No webhooks yet: `soleseat webhook create <url>` registers one.');
    });

  withChoice(withDesk(webhook.command('create <url>')))
    .description('register a URL; prints the secret, which is shown this once')
    .action(async (url: string, options: WebhookOptions) => {
      const desk = await deskFor(options);
      const json = { url, ...chosen(options) };
      const made = await desk.api.call<AdminAnswers['createWebhook']>('POST', PATH, { json });
      if (!desk.isJson) desk.print(`Registered: ${made.webhook.id}`);
      desk.say(`Secret, shown this once: ${made.secret}`, made);
    });

  withDesk(webhook.command('show <id>'))
    .description('one webhook')
    .action(async (id: string, options: DeskOptions) => {
      const desk = await deskFor(options);
      desk.showOne(await desk.api.call<Webhook>('GET', pathOf(id)));
    });

  withChoice(withDesk(webhook.command('set <id>')))
    .description('change what is given')
    .option('--to <url>', 'another URL')
    .action(async (id: string, options: WebhookOptions) => {
      const { to } = options;
      await change(await deskFor(options), id, { ...(to !== undefined && { url: to }), ...chosen(options) });
    });

  withDesk(webhook.command('pause <id>'))
    .description('send nothing for now; events wait')
    .action(async (id: string, options: DeskOptions) =>
      change(await deskFor(options), id, { state: 'paused' }),
    );

  withDesk(webhook.command('resume <id>'))
    .description('go on with one that is paused or parked')
    .action(async (id: string, options: DeskOptions) =>
      change(await deskFor(options), id, { state: 'active' }),
    );

  withDesk(webhook.command('test <id>'))
    .description('post one message at once, and tell how it went')
    .action(async (id: string, options: DeskOptions) => {
      const desk = await deskFor(options);
      const outcome = await desk.api.call<AdminAnswers['testWebhook']>('POST', pathOf(id, 'test'));
      const words = outcome.delivered
        ? `Delivered: HTTP ${outcome.status}`
        : `Not delivered: ${outcome.error}`;
      desk.say(words, outcome);
      if (!outcome.delivered) process.exitCode = 1;
    });

  withDesk(webhook.command('rotate <id>'))
    .description('a new secret; the one before goes on signing for a while')
    .option('--overlap <time>', 'for how long, like 12h; 24h unless told otherwise', durationArgument)
    .action(async (id: string, options: DeskOptions & { readonly overlap?: number }) => {
      const desk = await deskFor(options);
      const json = options.overlap === undefined ? {} : { overlapMs: options.overlap };
      const made = await desk.api.call<AdminAnswers['rotateWebhookSecret']>(
        'POST',
        pathOf(id, 'rotate-secret'),
        { json },
      );
      desk.say(`New secret, shown this once: ${made.secret}`, made);
    });

  withDesk(webhook.command('parked <id>'))
    .description('events that could not be delivered within a day')
    .action(async (id: string, options: DeskOptions) => {
      const desk = await deskFor(options);
      const rows: ParkedEvent[] = [];
      for await (const one of desk.api.list<ParkedEvent>(pathOf(id, 'parked'))) rows.push(one);
      const columns = {
        id: (one: ParkedEvent) => one.id,
        'put aside': (one: ParkedEvent) => when(one.parkedAt),
        org: (one: ParkedEvent) => one.org,
        type: (one: ParkedEvent) => one.event.type,
        user: (one: ParkedEvent) => one.event.user,
        attempts: (one: ParkedEvent) => one.attempts,
        error: (one: ParkedEvent) => one.error,
      };
      desk.showRows(rows, columns, 'Nothing was put aside.');
    });

  withDesk(webhook.command('replay <id> [events...]'))
    .description('send events again that were put aside: those that are named, or all')
    .action(async (id: string, events: readonly string[], options: DeskOptions) => {
      const desk = await deskFor(options);
      const json = events.length === 0 ? {} : { ids: events };
      const done = await desk.api.call<AdminAnswers['replayParkedEvents']>('POST', pathOf(id, 'replay'), {
        json,
      });
      desk.say(`Sent again: ${done.replayed}`, done);
    });

  withDesk(webhook.command('delete <id>'), { destructive: true })
    .description('remove a webhook, and all that waits for it')
    .action(async (id: string, options: DeskOptions) => {
      const desk = await deskFor(options);
      await desk.confirm(`Remove webhook ${id}, and all that waits for it?`);
      await desk.api.call('DELETE', pathOf(id));
      desk.say('Removed.', { removed: id });
    });
}

async function change(desk: Desk, id: string, json: object): Promise<void> {
  desk.showOne(await desk.api.call<AdminAnswers['changeWebhook']>('PATCH', pathOf(id), { json }));
}

function withChoice(command: Command): Command {
  return command
    .option('--types <list>', 'only these types, like license.revoked,session.ended; all: every type')
    .option('--orgs <list>', 'only these orgs, separated by commas; all: every org')
    .option('--description <text>', 'for people');
}

function chosen({ types, orgs, description }: WebhookOptions): object {
  const listOf = (text: string) => (text === 'all' ? null : text.split(',').map((one) => one.trim()));
  return {
    ...(types !== undefined && { types: listOf(types) }),
    ...(orgs !== undefined && { orgs: listOf(orgs) }),
    ...(description !== undefined && { description }),
  };
}
