import { useRef, useState } from 'preact/hooks';
import { call, newRequestKey, orgPath, Refusal } from '../api/client.js';
import type { License } from '../api/types.js';
import { ActionDialog } from '../parts/dialog.js';
import { TextField } from '../parts/field.js';
import { tell } from '../state/toasts.js';
import { NoteField, noteOf } from './license-changes.js';

/** Issues one license. */
export function IssueDialog(props: {
  readonly org: string;
  readonly onDone: () => void;
  readonly onClose: () => void;
}) {
  const { org, onDone, onClose } = props;
  const [user, setUser] = useState('');
  const [day, setDay] = useState('');
  const [note, setNote] = useState('');
  // One key for each thing asked: after a lost answer the same again is not a second license.
  const asked = useRef({ text: '', key: '' });

  async function confirm(): Promise<void> {
    const body = { user: user.trim(), ...(day !== '' && { expiresAt: day }), ...noteOf(note) };
    const text = JSON.stringify(body);
    if (asked.current.text !== text) asked.current = { text, key: newRequestKey() };
    const headers = { 'Idempotency-Key': asked.current.key };
    await call<License>('POST', orgPath(org, 'licenses'), { body, headers }).catch((error: Error) => {
      throw explained(error, org, body.user);
    });
    tell(`${body.user} has a license.`);
    onDone();
  }

  return (
    <ActionDialog title="Issue a license" confirm="Issue license" onConfirm={confirm} onClose={onClose}>
      <TextField
        label="User"
        value={user}
        onChange={setUser}
        isRequired
        hint="As it stands in the user's token, under “sub”."
      />
      <TextField
        label="Last day"
        type="date"
        value={day}
        onChange={setDay}
        hint="In the org’s time zone; empty for no end."
      />
      <NoteField value={note} onChange={setNote} />
    </ActionDialog>
  );
}

function explained(error: Error, org: string, user: string): Error {
  if (!(error instanceof Refusal)) return error;
  if (error.code === 'quota_exhausted') {
    return new Error(`All licenses that ${org} bought are issued. Revoke an unused one, or raise the quota.`);
  }
  if (error.code === 'exists') return new Error(`${user} has a license already.`);
  const [fault] = error.fields;
  return fault === undefined ? error : new Error(`${fault.field}: ${fault.problem}`);
}
