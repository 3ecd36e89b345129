import { useState } from 'preact/hooks';
import type { AdminAnswers } from '../../protocol/admin-answers.js';
import { call, orgPath } from '../api/client.js';
import type { Session } from '../api/types.js';
import { ActionDialog } from '../parts/dialog.js';
import { SelectField, TextField } from '../parts/field.js';
import { Time } from '../parts/time.js';
import { tell } from '../state/toasts.js';

const holds = [
  { value: '0', label: 'at once' },
  { value: '60000', label: 'after a minute' },
  { value: '900000', label: 'after 15 minutes' },
  { value: '3600000', label: 'after an hour' },
];

/** Asks before a session is ended: why, and when the user may come back. */
export function EvictDialog(props: {
  readonly org: string;
  readonly session: Session;
  readonly onDone: () => void;
  readonly onClose: () => void;
}) {
  const { org, session, onDone, onClose } = props;
  const { user, machine, sessionId, epoch, onLeaveUntil } = session;
  const [note, setNote] = useState('');
  const [holdMs, setHoldMs] = useState('0');

  async function evict(): Promise<void> {
    // The session that was looked at, and no newer one that took its place meanwhile.
    const body = {
      sessionId,
      epoch,
      ...(note.trim() !== '' && { note: note.trim() }),
      ...(holdMs !== '0' && { holdMs: Number(holdMs) }),
      ...(onLeaveUntil !== null && { forced: true }),
    };
    const answer = await call<AdminAnswers['evictSession']>('POST', orgPath(org, 'sessions', user, 'evict'), {
      body,
    });
    tell(answer.evicted === null ? `That session of ${user} had ended already.` : `${user} was evicted.`);
    onDone();
  }

  return (
    <ActionDialog
      title={`Evict ${user}?`}
      confirm={`Evict ${user}`}
      isDangerous
      onConfirm={evict}
      onClose={onClose}
    >
      {onLeaveUntil === null ? (
        <p>
          The session on <strong>{machine.name ?? machine.id}</strong> ends at once. The program there is told
          that an administrator ended it.
        </p>
      ) : (
        <p>
          The seat was taken along on <strong>{machine.name ?? machine.id}</strong>, which cannot be told: its
          ticket is good until <Time at={onLeaveUntil} />, beside whoever gets the seat now. Until then it
          keeps its place among the seats.
        </p>
      )}
      <TextField label="Reason" value={note} onChange={setNote} hint="For the audit trail; optional." />
      <SelectField label="May come back" value={holdMs} onChange={setHoldMs} options={holds} />
    </ActionDialog>
  );
}
