import { useState } from 'preact/hooks';
import type { AdminAnswers } from '../../protocol/admin-answers.js';
import { call, orgPath } from '../api/client.js';
import type { License } from '../api/types.js';
import { ActionDialog } from '../parts/dialog.js';
import { TextField } from '../parts/field.js';
import { Menu, type MenuItem } from '../parts/menu.js';
import { may } from '../state/session.js';
import { tell } from '../state/toasts.js';

type Change = 'suspend' | 'reinstate' | 'revoke' | 'transfer' | 'expiry';

interface ChangeProps {
  readonly org: string;
  readonly license: License;
  /** The license as it is now; of another user after a transfer. */
  readonly onDone: (license: License) => void;
}

const labels: Readonly<Record<Change, string>> = {
  suspend: 'Suspend…',
  reinstate: 'Reinstate…',
  expiry: 'Change end date…',
  transfer: 'Transfer…',
  revoke: 'Revoke…',
};

const changesOf: Readonly<Record<License['status'], readonly Change[]>> = {
  active: ['suspend', 'expiry', 'transfer', 'revoke'],
  suspended: ['reinstate', 'expiry', 'transfer', 'revoke'],
  expired: ['expiry', 'transfer', 'revoke'],
  revoked: [],
};

/** What an admin may do with a license: a menu, and the dialog of what was chosen. */
export function LicenseChanges({ org, license, onDone }: ChangeProps) {
  const [chosen, setChosen] = useState<Change | null>(null);
  const changes = changesOf[license.status];
  if (!may('admin') || changes.length === 0) return null;
  const items: MenuItem[] = changes.map((change) => ({
    label: labels[change],
    isDangerous: change === 'revoke',
    onChoose: () => setChosen(change),
  }));
  const props = { org, license, onDone, onClose: () => setChosen(null) };
  return (
    <>
      <Menu label={`Change the license of ${license.user}`} items={items} />
      {(chosen === 'suspend' || chosen === 'reinstate' || chosen === 'revoke') && (
        <StatusDialog {...props} change={chosen} />
      )}
      {chosen === 'transfer' && <TransferDialog {...props} />}
      {chosen === 'expiry' && <ExpiryDialog {...props} />}
    </>
  );
}

type DialogProps = ChangeProps & { readonly onClose: () => void };

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

function StatusDialog({
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

function TransferDialog({ org, license, onDone, onClose }: DialogProps) {
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

function ExpiryDialog({ org, license, onDone, onClose }: DialogProps) {
  const [day, setDay] = useState(license.expiresOn ?? license.expiresAt?.slice(0, 10) ?? '');

  async function confirm(): Promise<void> {
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
      <TextField
        label="Last day"
        type="date"
        value={day}
        onChange={setDay}
        hint="In the org’s time zone. Leave it empty for no end."
      />
    </ActionDialog>
  );
}

export function NoteField(props: { readonly value: string; readonly onChange: (value: string) => void }) {
  return <TextField label="Note" {...props} hint="For the audit trail; optional." />;
}

export function noteOf(note: string): { readonly note?: string } {
  return note.trim() === '' ? {} : { note: note.trim() };
}

async function changed(method: 'POST' | 'PUT', path: string, body: object): Promise<License> {
  return (await call<AdminAnswers['transferLicense']>(method, path, { body })).license;
}
