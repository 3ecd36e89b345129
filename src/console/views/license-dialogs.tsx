import { useState } from 'preact/hooks';
import type { AdminAnswers } from '../../protocol/admin-answers.js';
import { call, orgPath } from '../api/client.js';
import type { License } from '../api/types.js';
import { endText } from '../format.js';
import { ActionDialog } from '../parts/dialog.js';
import { TextField } from '../parts/field.js';
import { useTimeZone } from '../state/org.js';
import { tell } from '../state/toasts.js';

export interface ChangeProps {
  readonly org: string;
  readonly license: License;
  /** The license as it is now; of another user after a transfer. */
  readonly onDone: (license: License) => void;
}

type DialogProps = ChangeProps & { readonly onClose: () => void };

export type StatusChange = keyof typeof statusWords;

const statusWords = {
  suspend: {
    verb: 'Suspend',
    done: 'suspended',
    text: 'The right rests until it is reinstated; its place in the quota stays taken. A running session ends at once.',
  },
  reinstate: { verb: 'Reinstate', done: 'reinstated', text: 'The user may take a seat again.' },
  revoke: {
    verb: 'Revoke',
    done: 'revoked',
    text: 'The license is taken back and its place in the quota is free again. A running session ends at once.',
  },
} as const;

export function StatusDialog({
  org,
  license,
  onDone,
  onClose,
  change,
}: DialogProps & { readonly change: keyof typeof statusWords }) {
  const [note, setNote] = useState('');
  const { verb, done, text } = statusWords[change];

  async function confirm(): Promise<void> {
    const answer = await changed('POST', orgPath(org, 'licenses', license.user, change), noteOf(note));
    tell(`The license of ${license.user} is ${done}.`);
    onDone(answer);
  }

  return (
    <ActionDialog
      title={`${verb} the license of ${license.user}?`}
      confirm={`${verb} license`}
      isDangerous={change === 'revoke'}
      onConfirm={confirm}
      onClose={onClose}
    >
      <p>{text}</p>
      <NoteField value={note} onChange={setNote} />
    </ActionDialog>
  );
}

export function TransferDialog({ org, license, onDone, onClose }: DialogProps) {
  const [to, setTo] = useState('');
  const [note, setNote] = useState('');

  async function confirm(): Promise<void> {
    const body = { to: to.trim(), ...noteOf(note) };
    const answer = await changed('POST', orgPath(org, 'licenses', license.user, 'transfer'), body);
    tell(`The license of ${license.user} is ${body.to}'s now.`);
    onDone(answer);
  }

  return (
    <ActionDialog
      title={`Transfer the license of ${license.user}`}
      confirm="Transfer license"
      onConfirm={confirm}
      onClose={onClose}
    >
      <p>The license moves to a user who has none. A running session of {license.user} ends at once.</p>
      <TextField label="To user" value={to} onChange={setTo} isRequired />
      <NoteField value={note} onChange={setNote} />
    </ActionDialog>
  );
}

export function ExpiryDialog({ org, license, onDone, onClose }: DialogProps) {
  const zone = useTimeZone();
  const { expiresAt, expiresOn } = license;
  // An end within a day is not shown as one: saving it would move it.
  const [day, setDay] = useState(expiresOn ?? '');
  const [isTouched, setTouched] = useState(false);

  async function confirm(): Promise<void> {
    if (!isTouched) return;
    const answer = await changed('PUT', orgPath(org, 'licenses', license.user, 'expiry'), {
      expiresAt: day === '' ? null : day,
    });
    tell(`The license of ${license.user} ${day === '' ? 'has no end' : `ends after ${day}`}.`);
    onDone(answer);
  }

  return (
    <ActionDialog
      title={`When the license of ${license.user} ends`}
      confirm="Save"
      onConfirm={confirm}
      onClose={onClose}
    >
      {expiresAt !== null && expiresOn === null && (
        <p>
          It ends at {endText(license, zone)} at present.{' '}
          <button type="button" class="link" onClick={() => setTouched(true)}>
            Take the end away
          </button>
        </p>
      )}
      <TextField
        label="Last day"
        type="date"
        value={day}
        onChange={(value) => {
          setDay(value);
          setTouched(true);
        }}
        hint={
          isTouched && day === ''
            ? 'No end, once it is saved.'
            : `The last full day in ${zone ?? 'the org’s time zone'}. Empty it for no end.`
        }
      />
    </ActionDialog>
  );
}

export function NoteDialog({ org, license, onDone, onClose }: DialogProps) {
  const [note, setNote] = useState(license.note ?? '');

  async function confirm(): Promise<void> {
    const body = { note: note.trim() === '' ? null : note.trim() };
    onDone(await changed('PUT', orgPath(org, 'licenses', license.user, 'note'), body));
    tell(`The note on the license of ${license.user} is ${body.note === null ? 'gone' : 'saved'}.`);
  }

  return (
    <ActionDialog
      title={`Note on the license of ${license.user}`}
      confirm="Save"
      onConfirm={confirm}
      onClose={onClose}
    >
      <TextField label="Note" value={note} onChange={setNote} hint="Empty it to take the note away." />
    </ActionDialog>
  );
}

export function NoteField(props: { readonly value: string; readonly onChange: (value: string) => void }) {
  return <TextField label="Note" {...props} hint="Optional. Without one, a note that is there stays." />;
}

export function noteOf(note: string): { readonly note?: string } {
  return note.trim() === '' ? {} : { note: note.trim() };
}

async function changed(method: 'POST' | 'PUT', path: string, body: object): Promise<License> {
  return (await call<AdminAnswers['transferLicense']>(method, path, { body })).license;
}
