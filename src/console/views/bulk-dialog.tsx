import { useRef, useState } from 'preact/hooks';
import { call, orgPath } from '../api/client.js';
import type { License } from '../api/types.js';
import { counted, numberText } from '../format.js';
import { Badge } from '../parts/badge.js';
import { Dialog } from '../parts/dialog.js';
import { TextField } from '../parts/field.js';
import { useTimeZone } from '../state/org.js';
import { NoteField, noteOf } from './license-dialogs.js';
import './import-dialog.css';

export interface BulkAction {
  readonly name: 'suspend' | 'reinstate' | 'revoke' | 'expiry' | 'note';
  readonly verb: string;
  readonly isDangerous?: true;
}

/** What can be done with many licenses at once. */
export const bulkActions: readonly BulkAction[] = [
  { name: 'suspend', verb: 'Suspend' },
  { name: 'reinstate', verb: 'Reinstate' },
  { name: 'expiry', verb: 'Change end date' },
  { name: 'note', verb: 'Change note' },
  { name: 'revoke', verb: 'Revoke', isDangerous: true },
];

interface Result {
  readonly user: string;
  /** null: done. */
  readonly problem: string | null;
}

interface BulkProps {
  readonly org: string;
  readonly action: BulkAction;
  readonly licenses: readonly License[];
  readonly onChanged: () => void;
  readonly onClose: () => void;
}

/** Does one thing with many licenses, one after another, and tells for each what came of it. Closing it stops. */
export function BulkDialog({ org, action, licenses, onChanged, onClose }: BulkProps) {
  // Those that were chosen when it opened: the list behind it changes with every step.
  const chosen = useRef(licenses).current;
  const [note, setNote] = useState('');
  const [day, setDay] = useState('');
  const [results, setResults] = useState<readonly Result[] | null>(null);
  const isStopped = useRef(false);

  async function run(event: Event): Promise<void> {
    event.preventDefault();
    if (results !== null) return;
    const done: Result[] = [];
    setResults(done);
    for (const { user } of chosen) {
      if (isStopped.current) break;
      const problem = await changeOne(org, user, { action, note, day });
      done.push({ user, problem });
      setResults([...done]);
    }
    onChanged();
  }

  function close(): void {
    isStopped.current = true;
    onClose();
  }

  const isDone = results?.length === chosen.length;
  return (
    <Dialog title={`${action.verb}: ${counted(chosen.length, 'license')}`} onClose={close}>
      <form onSubmit={run}>
        <div class="fields">
          {results === null ? (
            <Inputs action={action} note={note} day={day} onNote={setNote} onDay={setDay} />
          ) : (
            <Results results={results} total={chosen.length} />
          )}
        </div>
        <div class="dialog-actions">
          <button type="button" class="button" onClick={close}>
            {isDone ? 'Close' : results === null ? 'Cancel' : 'Stop'}
          </button>
          {results === null && (
            <button type="submit" class={`button ${action.isDangerous ? 'danger' : 'primary'}`}>
              {action.verb} {counted(chosen.length, 'license')}
            </button>
          )}
        </div>
      </form>
    </Dialog>
  );
}

function Inputs(props: {
  readonly action: BulkAction;
  readonly note: string;
  readonly day: string;
  readonly onNote: (note: string) => void;
  readonly onDay: (day: string) => void;
}) {
  const { action, note, day, onNote, onDay } = props;
  const zone = useTimeZone();
  if (action.name === 'expiry') {
    const hint = `The last full day in ${zone ?? 'the org’s time zone'}; empty for no end.`;
    return <TextField label="Last day" type="date" value={day} onChange={onDay} hint={hint} />;
  }
  if (action.name === 'note')
    return <TextField label="Note" value={note} onChange={onNote} hint="Empty takes the notes away." />;
  return (
    <>
      <p>{action.name === 'reinstate' ? 'They may take a seat again.' : 'Running sessions end at once.'}</p>
      <NoteField value={note} onChange={onNote} />
    </>
  );
}

function Results({ results, total }: { readonly results: readonly Result[]; readonly total: number }) {
  const failed = results.filter(({ problem }) => problem !== null);
  const done = results.length - failed.length;
  return (
    <>
      <div class="progress">
        <progress value={results.length} max={total} aria-label="Progress" />
        <p role="status">
          {numberText(done)} of {numberText(total)} done
          {failed.length > 0 && `, ${numberText(failed.length)} refused`}
        </p>
      </div>
      <ul class="results">
        {results.map(({ user, problem }) => (
          <li key={user}>
            <span>{user}</span>
            <Badge tone={problem === null ? 'good' : 'bad'} text={problem ?? 'done'} />
          </li>
        ))}
      </ul>
    </>
  );
}

interface Change {
  readonly action: BulkAction;
  readonly note: string;
  readonly day: string;
}

/** Null: it is done; else why it is not. */
async function changeOne(org: string, user: string, { action, note, day }: Change): Promise<string | null> {
  const path = orgPath(org, 'licenses', user, action.name);
  const request = {
    expiry: () => call('PUT', path, { body: { expiresAt: day === '' ? null : day } }),
    note: () => call('PUT', path, { body: { note: note.trim() === '' ? null : note.trim() } }),
    other: () => call('POST', path, { body: noteOf(note) }),
  };
  const { name } = action;
  const ask = name === 'expiry' || name === 'note' ? request[name] : request.other;
  return ask().then(
    () => null,
    (error: Error) => error.message,
  );
}
