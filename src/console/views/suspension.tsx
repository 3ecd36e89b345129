import { useState } from 'preact/hooks';
import { call, orgPath } from '../api/client.js';
import type { Org } from '../api/types.js';
import { ActionDialog } from '../parts/dialog.js';
import { TextField } from '../parts/field.js';
import { Time } from '../parts/time.js';
import { may } from '../state/session.js';
import { tell } from '../state/toasts.js';

interface SuspensionProps {
  readonly org: string;
  readonly value: Org;
  readonly onDone: () => void;
}

/** Whether all of the org is kept out, and the owner's way to change that. */
export function Suspension({ org, value, onDone }: SuspensionProps) {
  const [isOpen, setOpen] = useState(false);
  const { suspendedAt } = value;
  if (suspendedAt === null && !may('owner')) return null;
  return (
    <section class="card" aria-labelledby="suspension">
      <div class="card-head">
        <h2 id="suspension">Suspension</h2>
        {may('owner') && (
          <button type="button" class="button small" onClick={() => setOpen(true)}>
            {suspendedAt === null ? 'Suspend org…' : 'Reinstate org…'}
          </button>
        )}
      </div>
      <p>
        {suspendedAt === null ? (
          'The org is not suspended.'
        ) : (
          <>
            Nobody of {org} gets a seat since <Time at={suspendedAt} />. Licenses are as they were.
          </>
        )}
      </p>
      {isOpen && (
        <SuspensionDialog
          org={org}
          action={suspendedAt === null ? 'suspend' : 'reinstate'}
          onDone={onDone}
          onClose={() => setOpen(false)}
        />
      )}
    </section>
  );
}

const words = {
  suspend: {
    title: 'Suspend',
    done: 'suspended',
    text: 'All sessions end within moments, and nobody gets in until the org is reinstated. No license changes.',
  },
  reinstate: { title: 'Reinstate', done: 'in again', text: 'All users may take their seats as before.' },
} as const;

function SuspensionDialog(props: {
  readonly org: string;
  readonly action: keyof typeof words;
  readonly onDone: () => void;
  readonly onClose: () => void;
}) {
  const { org, action, onDone, onClose } = props;
  const { title, done, text } = words[action];
  const [note, setNote] = useState('');

  async function confirm(): Promise<void> {
    await call('POST', orgPath(org, action), { body: note.trim() === '' ? {} : { note: note.trim() } });
    tell(`${org} is ${done}.`);
    onDone();
  }

  return (
    <ActionDialog
      title={`${title} ${org}?`}
      confirm={`${title} org`}
      isDangerous={action === 'suspend'}
      onConfirm={confirm}
      onClose={onClose}
    >
      <p>{text}</p>
      <TextField label="Reason" value={note} onChange={setNote} hint="For the audit trail; optional." />
    </ActionDialog>
  );
}
