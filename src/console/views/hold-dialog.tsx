import { useState } from 'preact/hooks';
import { call, orgPath } from '../api/client.js';
import { ActionDialog } from '../parts/dialog.js';
import { SelectField, TextField } from '../parts/field.js';
import { tell } from '../state/toasts.js';

const times = [
  { value: '900000', label: 'for 15 minutes' },
  { value: '3600000', label: 'for an hour' },
  { value: '86400000', label: 'for a day' },
  { value: '604800000', label: 'for a week' },
];

/** Keeps a user out for a while who has no session. */
export function HoldDialog(props: {
  readonly org: string;
  readonly user: string;
  readonly onDone: () => void;
  readonly onClose: () => void;
}) {
  const { org, user, onDone, onClose } = props;
  const [holdMs, setHoldMs] = useState('3600000');
  const [note, setNote] = useState('');

  async function hold(): Promise<void> {
    const why = note.trim() === '' ? {} : { note: note.trim() };
    await call('PUT', orgPath(org, 'users', user, 'hold'), { body: { holdMs: Number(holdMs), ...why } });
    tell(`${user} is held.`);
    onDone();
  }

  return (
    <ActionDialog
      title={`Hold ${user}?`}
      confirm={`Hold ${user}`}
      isDangerous
      onConfirm={hold}
      onClose={onClose}
    >
      <p>The user gets no seat in that time, whatever the license says.</p>
      <SelectField label="Hold" value={holdMs} onChange={setHoldMs} options={times} />
      <TextField label="Reason" value={note} onChange={setNote} hint="For the audit trail; optional." />
    </ActionDialog>
  );
}
