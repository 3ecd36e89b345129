import { useState } from 'preact/hooks';
import { call, isMissing, orgPath } from '../api/client.js';
import { ActionDialog } from '../parts/dialog.js';
import { TextField } from '../parts/field.js';
import { go, hrefOf } from '../state/route.js';
import { tell } from '../state/toasts.js';
import { explain, quotaIn } from './org-input.js';

/** Lets an org begin to exist, with its quota. */
export function NewOrgDialog({ onClose }: { readonly onClose: () => void }) {
  const [name, setName] = useState('');
  const [quota, setQuota] = useState('');
  const [timeZone, setTimeZone] = useState('');

  async function create(): Promise<void> {
    const org = name.trim();
    const isThere = await call('GET', orgPath(org)).then(
      () => true,
      (error: Error) => {
        if (isMissing(error, 'org')) return false;
        throw error;
      },
    );
    if (isThere) throw new Error(`There is an org ${org} already.`);
    const body = {
      quota: quota.trim() === '' ? null : quotaIn(quota),
      ...(timeZone.trim() !== '' && { timeZone: timeZone.trim() }),
    };
    await call('PATCH', orgPath(org), { body }).catch(explain);
    tell(`${org} exists now.`);
    go(hrefOf(org, 'settings'));
  }

  return (
    <ActionDialog title="A new org" confirm="Create org" onConfirm={create} onClose={onClose}>
      <TextField
        label="Name"
        value={name}
        onChange={setName}
        isRequired
        hint="As tokens of its users have it. It cannot be changed."
      />
      <TextField
        label="Quota"
        value={quota}
        onChange={setQuota}
        hint="Licenses it bought; empty for any number."
      />
      <TextField
        label="Time zone"
        value={timeZone}
        onChange={setTimeZone}
        hint="As Europe/Berlin; empty for UTC."
      />
    </ActionDialog>
  );
}
