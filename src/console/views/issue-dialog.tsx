import { useRef, useState } from 'preact/hooks';
import { call, newRequestKey, orgPath, Refusal } from '../api/client.js';
import type { License } from '../api/types.js';
import { ActionDialog } from '../parts/dialog.js';
import { TextField } from '../parts/field.js';
import { useTimeZone } from '../state/org.js';
import { tell } from '../state/toasts.js';
import { NoteField, noteOf } from './license-dialogs.js';

/** Issues one license: to the user who is named, or to one who is to be named. */
export function IssueDialog(props: {
  readonly org: string;
  readonly user?: string;
  readonly onDone: (license: License) => void;
  readonly onClose: () => void;
}) {
  const { org, onDone, onClose } = props;
  const [user, setUser] = useState(props.user ?? '');
  const zone = useTimeZone();
  const [day, setDay] = useState('');
  const [note, setNote] = useState('');
  // One key for each thing asked: after a lost answer the same again is not a second license.
  const asked = useRef({ text: '', key: '' });

  async function confirm(): Promise<void> {
    const body = { user: user.trim(), ...(day !== '' && { expiresAt: day }), ...noteOf(note) };
    const text = JSON.stringify(body);
    if (asked.current.text !== text) asked.current = { text, key: newRequestKey() };
    const headers = { 'Idempotency-Key': asked.current.key };
    const path = orgPath(org, 'licenses');
    const issued = await call<License>('POST', path, { body, headers }).catch((error: Error) => {
      throw explained(error, org, body.user);
    });
    tell(`${issued.user} has a license.`);
    onDone(issued);
  }

  return (
    <ActionDialog
      title={props.user === undefined ? 'Issue a license' : `Issue a license to ${props.user}`}
      confirm="Issue license"
      onConfirm={confirm}
      onClose={onClose}
    >
      {props.user === undefined && (
        <TextField
          label="User"
          value={user}
          onChange={setUser}
          isRequired
          hint="As it stands in the user's token, under “sub”."
        />
      )}
      <TextField
        label="Last day"
        type="date"
        value={day}
        onChange={setDay}
        hint={`The last full day in ${zone ?? 'the org’s time zone'}; empty for no end.`}
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
  const [fault] = error.facts.fields ?? [];
  return fault === undefined ? error : new Error(`${fault.field}: ${fault.problem}`);
}
