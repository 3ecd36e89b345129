import { useState } from 'preact/hooks';
import type { AdminAnswers } from '../../protocol/admin-answers.js';
import { call, Refusal } from '../api/client.js';
import type { Webhook } from '../api/types.js';
import { ActionDialog, Dialog } from '../parts/dialog.js';
import { TextField } from '../parts/field.js';
import { tell } from '../state/toasts.js';

const PATH = '/v1/admin/webhooks';

/** Registers a URL. */
export function RegisterDialog(props: {
  readonly onDone: (secret: string) => void;
  readonly onChanged: () => void;
  readonly onClose: () => void;
}) {
  const { onDone, onChanged, onClose } = props;
  const [url, setUrl] = useState('');
  const [types, setTypes] = useState('');
  const [orgs, setOrgs] = useState('');
  const [description, setDescription] = useState('');

  async function confirm(): Promise<void> {
    const body = { url: url.trim(), types: listOf(types), orgs: listOf(orgs), description };
    const made = await call<AdminAnswers['createWebhook']>('POST', PATH, { body }).catch((error: Error) => {
      throw explained(error);
    });
    onChanged();
    onDone(made.secret);
  }

  return (
    <ActionDialog title="Register a URL" confirm="Register" onConfirm={confirm} onClose={onClose}>
      <TextField label="URL" value={url} onChange={setUrl} isRequired placeholder="https://…" />
      <TextField
        label="Types"
        value={types}
        onChange={setTypes}
        hint="Like license.revoked, session.ended; empty for all."
      />
      <TextField label="Orgs" value={orgs} onChange={setOrgs} hint="Empty for all." />
      <TextField label="Description" value={description} onChange={setDescription} />
    </ActionDialog>
  );
}

/** Shows a new secret, this once. */
export function SecretDialog({ secret, onClose }: { readonly secret: string; readonly onClose: () => void }) {
  return (
    <Dialog title="The secret" onClose={onClose}>
      <p>The receiver checks signatures with it. It is shown this once.</p>
      <p>
        <code>{secret}</code>
      </p>
      <div class="dialog-actions">
        <button type="button" class="button primary" onClick={onClose}>
          I have kept it
        </button>
      </div>
    </Dialog>
  );
}

/** Removes a webhook, once somebody has said so. */
export function DeleteDialog(props: {
  readonly webhook: Webhook;
  readonly onDone: () => void;
  readonly onClose: () => void;
}) {
  const { webhook, onDone, onClose } = props;
  async function confirm(): Promise<void> {
    await call('DELETE', `${PATH}/${webhook.id}`);
    tell('The webhook is removed.');
    onDone();
  }
  return (
    <ActionDialog
      title="Remove the webhook"
      confirm="Remove webhook"
      isDangerous
      onConfirm={confirm}
      onClose={onClose}
    >
      <p>
        Nothing more is posted to <code>{webhook.url}</code>, and what waits for it is dropped.
      </p>
    </ActionDialog>
  );
}

function listOf(text: string): readonly string[] | null {
  const names = text
    .split(/[\s,]+/)
    .map((one) => one.trim())
    .filter(Boolean);
  return names.length === 0 ? null : names;
}

function explained(error: Error): Error {
  const [fault] = (error instanceof Refusal && error.facts.fields) || [];
  return fault === undefined ? error : new Error(`${fault.field}: ${fault.problem}`);
}
