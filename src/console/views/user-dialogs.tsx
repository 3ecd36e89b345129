import { useState } from 'preact/hooks';
import type { AdminAnswers } from '../../protocol/admin-answers.js';
import { call, orgPath, Refusal } from '../api/client.js';
import { counted } from '../format.js';
import { ActionDialog } from '../parts/dialog.js';
import { TextField } from '../parts/field.js';
import { Failure, Waiting } from '../parts/page.js';
import { useAnswer } from '../state/answer.js';
import { tell } from '../state/toasts.js';
import './import-dialog.css';

type Preview = AdminAnswers['forgetUser'];

interface UserDialogProps {
  readonly org: string;
  readonly user: string;
  readonly onClose: () => void;
}

/** Gives a user another name. */
export function RenameDialog(props: UserDialogProps & { readonly onDone: (name: string) => void }) {
  const { org, user, onDone, onClose } = props;
  const [to, setTo] = useState(user);
  const [note, setNote] = useState('');

  async function rename(): Promise<void> {
    const body = { to: to.trim(), ...(note.trim() !== '' && { note: note.trim() }) };
    await call('POST', orgPath(org, 'users', user, 'rename'), { body }).catch((error: Error) => {
      if (error instanceof Refusal && error.code === 'exists')
        throw new Error(`Somebody is known as ${body.to} already.`);
      throw error;
    });
    tell(`${user} is ${body.to} now.`);
    onDone(body.to);
  }

  return (
    <ActionDialog title={`Rename ${user}`} confirm="Rename" onConfirm={rename} onClose={onClose}>
      <p>
        License, machines and history go along. A running session ends, and its program signs in again; for a
        day it may still come with a token of the old name.
      </p>
      <TextField
        label="New name"
        value={to}
        onChange={setTo}
        isRequired
        hint="As it stands in the user's token, under “sub”."
      />
      <TextField label="Reason" value={note} onChange={setNote} hint="For the audit trail; optional." />
    </ActionDialog>
  );
}

/** Refuses all tokens of a user that were issued until now. */
export function RevokeTokensDialog(props: UserDialogProps & { readonly onDone: () => void }) {
  const { org, user, onDone, onClose } = props;
  const [note, setNote] = useState('');

  async function revoke(): Promise<void> {
    const body = { user, ...(note.trim() !== '' && { note: note.trim() }) };
    await call('POST', orgPath(org, 'revocations'), { body });
    tell(`The tokens of ${user} are revoked.`);
    onDone();
  }

  return (
    <ActionDialog
      title={`Revoke the tokens of ${user}?`}
      confirm="Revoke tokens"
      isDangerous
      onConfirm={revoke}
      onClose={onClose}
    >
      <p>
        A running session ends at once, and no token that was issued until now lets this user in. With a token
        that is issued later they get in again: the license stays as it is.
      </p>
      <TextField label="Reason" value={note} onChange={setNote} hint="For the audit trail; optional." />
    </ActionDialog>
  );
}

/** Deletes all that names a user, once the person has seen what goes. */
export function ForgetDialog(props: UserDialogProps & { readonly onDone: () => void }) {
  const { org, user, onDone, onClose } = props;
  const path = orgPath(org, 'users', user, 'forget');
  const { value: preview, error } = useAnswer<Preview>(path, {
    ask: (signal) => call('POST', path, { body: { preview: true }, signal }),
  });
  const [name, setName] = useState('');

  async function forget(): Promise<void> {
    if (name !== user) throw new Error('That is not the name of this user.');
    await call('POST', path, { body: {} });
    tell(`${user} is forgotten.`);
    onDone();
  }

  return (
    <ActionDialog
      title={`Forget ${user}?`}
      confirm={`Forget ${user}`}
      isDangerous
      onConfirm={forget}
      onClose={onClose}
    >
      <Failure error={error} />
      {preview === undefined ? <Waiting /> : <Traces preview={preview} />}
      <TextField
        label="Name of the user"
        value={name}
        onChange={setName}
        isRequired
        hint="Type it to say that you mean this user: it cannot be undone."
      />
    </ActionDialog>
  );
}

function Traces({ preview }: { readonly preview: Preview }) {
  const { license, hasSession, machines, sessions } = preview;
  return (
    <>
      <p>This goes, and does not come back:</p>
      <ul class="traces">
        <li>{license === null ? 'no license' : `the license, which is ${license}`}</li>
        <li>{hasSession ? 'the running session, which ends at once' : 'no running session'}</li>
        <li>{counted(machines, 'machine')}</li>
        <li>{counted(sessions, 'line')} of history</li>
      </ul>
      <p>The audit trail stays, of somebody without a name. Words that people wrote into notes stay in it.</p>
    </>
  );
}
