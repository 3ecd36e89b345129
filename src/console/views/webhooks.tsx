import { useState } from 'preact/hooks';
import type { AdminAnswers } from '../../protocol/admin-answers.js';
import { call } from '../api/client.js';
import type { Webhook } from '../api/types.js';
import { numberText } from '../format.js';
import { Badge } from '../parts/badge.js';
import { Icon } from '../parts/icon.js';
import { Menu, type MenuItem } from '../parts/menu.js';
import { Empty, Failure, Page } from '../parts/page.js';
import { type Column, Table } from '../parts/table.js';
import { Time } from '../parts/time.js';
import { useAnswer } from '../state/answer.js';
import { may } from '../state/session.js';
import { tell } from '../state/toasts.js';
import { DeleteDialog, RegisterDialog, SecretDialog } from './webhook-dialogs.js';

const EVERY_MS = 3000;
const PATH = '/v1/admin/webhooks';

/** The URLs that events are posted to: for all orgs, an owner's. */
export function WebhooksView(_: { readonly org: string }) {
  const answer = useAnswer<AdminAnswers['listWebhooks']>(may('owner') ? PATH : null, { everyMs: EVERY_MS });
  const { error, refresh } = answer;
  const webhooks = answer.value?.items;
  const [isRegistering, setRegistering] = useState(false);
  const [secret, setSecret] = useState('');
  const [removing, setRemoving] = useState<Webhook | null>(null);
  const columns = columnsOf({ refresh, onSecret: setSecret, onRemove: setRemoving });
  return (
    <Page
      title="Webhooks"
      intro="URLs that events of all orgs are posted to as they happen."
      actions={
        may('owner') && (
          <button type="button" class="button primary" onClick={() => setRegistering(true)}>
            <Icon name="add" /> Register URL
          </button>
        )
      }
    >
      <Failure error={error} />
      {!may('owner') && <Empty title="Not for this token">Webhooks are shown to an owner.</Empty>}
      {webhooks?.length === 0 && (
        <Empty title="No webhooks yet">Register a URL, and what happens from then on is posted to it.</Empty>
      )}
      {webhooks !== undefined && webhooks.length > 0 && (
        <div class="card flush">
          <Table caption="Webhooks" columns={columns} rows={webhooks} keyOf={({ id }) => id} />
        </div>
      )}
      {isRegistering && (
        <RegisterDialog onDone={setSecret} onChanged={refresh} onClose={() => setRegistering(false)} />
      )}
      {!isRegistering && secret !== '' && <SecretDialog secret={secret} onClose={() => setSecret('')} />}
      {removing !== null && (
        <DeleteDialog webhook={removing} onDone={refresh} onClose={() => setRemoving(null)} />
      )}
    </Page>
  );
}

interface Actions {
  readonly refresh: () => void;
  readonly onSecret: (secret: string) => void;
  readonly onRemove: (webhook: Webhook) => void;
}

function columnsOf(actions: Actions): readonly Column<Webhook>[] {
  return [
    {
      head: 'URL',
      cell: ({ url, description }) => (
        <span class="two-lines">
          <span>{url}</span>
          {description !== '' && <small>{description}</small>}
        </span>
      ),
    },
    { head: 'State', cell: stateOf },
    { head: 'Types', cell: ({ types }) => types?.join(', ') ?? 'all' },
    { head: 'Orgs', cell: ({ orgs }) => orgs?.join(', ') ?? 'all' },
    { head: 'Waiting', kind: 'number', cell: ({ waiting }) => numberText(waiting) },
    { head: 'Put aside', kind: 'number', cell: ({ parked }) => numberText(parked) },
    { head: 'Since', cell: ({ createdAt }) => <Time at={createdAt} /> },
    { head: 'Change', kind: 'actions', cell: (webhook) => <Changes webhook={webhook} {...actions} /> },
  ];
}

function stateOf({ state, reason }: Webhook) {
  if (state === 'active') return <Badge text="active" tone="good" />;
  if (state === 'paused') return <Badge text="paused" tone="plain" />;
  return <Badge text={reason === 'gone' ? 'parked: receiver gone' : 'parked: too many wait'} tone="bad" />;
}

function Changes({ webhook, refresh, onSecret, onRemove }: Actions & { readonly webhook: Webhook }) {
  const path = `${PATH}/${webhook.id}`;
  const host = new URL(webhook.url).host;
  const attempt = (work: () => Promise<void>) => () => {
    work().then(refresh, (error: Error) => tell(error.message, 'bad'));
  };
  const setState = (state: 'active' | 'paused') =>
    attempt(async () => {
      await call('PATCH', path, { body: { state } });
    });
  const test = attempt(async () => {
    const outcome = await call<AdminAnswers['testWebhook']>('POST', `${path}/test`);
    if (outcome.delivered) tell(`${host} answered ${outcome.status}.`);
    else tell(`Not delivered to ${host}: ${outcome.error}`, 'bad');
  });
  const rotate = attempt(async () => {
    onSecret(
      (await call<AdminAnswers['rotateWebhookSecret']>('POST', `${path}/rotate-secret`, { body: {} })).secret,
    );
  });
  const replay = attempt(async () => {
    const { replayed } = await call<AdminAnswers['replayParkedEvents']>('POST', `${path}/replay`, {
      body: {},
    });
    tell(`${numberText(replayed)} events are sent again.`);
  });
  const items: MenuItem[] = [
    { label: 'Send a test', onChoose: test },
    webhook.state === 'active'
      ? { label: 'Pause', onChoose: setState('paused') }
      : { label: 'Resume', onChoose: setState('active') },
    ...(webhook.parked > 0 ? [{ label: 'Send again what was put aside', onChoose: replay }] : []),
    { label: 'New secret', onChoose: rotate },
    { label: 'Remove…', isDangerous: true, onChoose: () => onRemove(webhook) },
  ];
  return <Menu label={`Change the webhook at ${host}`} items={items} />;
}
