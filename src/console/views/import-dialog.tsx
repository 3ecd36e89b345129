import { useId, useRef, useState } from 'preact/hooks';
import { callForLines, type LineFaults, orgPath, Refusal } from '../api/client.js';
import { counted, numberText, wordsOf } from '../format.js';
import { Dialog } from '../parts/dialog.js';
import { tell } from '../state/toasts.js';
import './import-dialog.css';

type ImportLine =
  | { readonly type: 'progress'; readonly done: number; readonly total: number }
  | { readonly type: 'done'; readonly issued: number }
  | {
      readonly type: 'failed';
      readonly code: string;
      readonly lines: readonly { readonly line: number; readonly problem: string }[];
    };

interface File {
  readonly name: string;
  readonly bytes: Blob;
  readonly users: number;
}

const LINES_SHOWN = 20;
const LINE_FEED = 10;
const BLANK = 32;

/** Issues many licenses from a CSV file: all of them or none. */
export function ImportDialog(props: {
  readonly org: string;
  readonly onDone: () => void;
  readonly onClose: () => void;
}) {
  const { org, onDone, onClose } = props;
  const [file, setFile] = useState<File | null>(null);
  const [progress, setProgress] = useState<{ done: number; total: number } | null>(null);
  const [error, setError] = useState<Error | null>(null);
  const running = useRef(false);
  const id = useId();

  async function submit(event: Event): Promise<void> {
    event.preventDefault();
    if (file === null || running.current) return;
    running.current = true;
    setError(null);
    setProgress({ done: 0, total: file.users });
    try {
      tell(`${counted(await importFile(org, file, setProgress), 'license')} issued.`);
      onDone();
      onClose();
    } catch (failure) {
      setError(failure as Error);
      setProgress(null);
    }
    running.current = false;
  }

  return (
    <Dialog title="Import licenses" onClose={onClose}>
      <form onSubmit={submit}>
        <div class="fields">
          <p>
            A CSV file as your spreadsheet saves it, with a header line that names the column{' '}
            <code>user</code>, and if wanted <code>expiresAt</code>, <code>note</code>, <code>kind</code>,{' '}
            <code>startsAt</code>, <code>graceDays</code> and <code>idleExempt</code>. Either all licenses are
            issued, or none.
          </p>
          <div class="field">
            <label for={id}>CSV file</label>
            <input
              id={id}
              type="file"
              accept=".csv,text/csv,text/plain"
              required
              onChange={async (event) => {
                setError(null);
                setFile(await read(event.currentTarget.files?.[0]));
              }}
            />
            {file !== null && <p class="hint">{counted(file.users, 'user')} in this file.</p>}
          </div>
          {progress !== null && <Progress {...progress} />}
        </div>
        {error !== null && <ImportFailure error={error} />}
        <div class="dialog-actions">
          <button type="button" class="button" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" class="button primary" aria-disabled={progress !== null}>
            {progress === null ? 'Import licenses' : 'Importing…'}
          </button>
        </div>
      </form>
    </Dialog>
  );
}

function Progress({ done, total }: { readonly done: number; readonly total: number }) {
  return (
    <div class="progress">
      <progress value={done} max={Math.max(1, total)} aria-label="Licenses issued" />
      <span>
        {numberText(done)} of {numberText(total)}
      </span>
    </div>
  );
}

function ImportFailure({ error }: { readonly error: Error }) {
  const faults = (error instanceof Refusal && error.facts.faults) || [];
  return (
    <div class="failure" role="alert">
      <p>Nothing was imported: {error.message}</p>
      {faults.length > 0 && (
        <ul>
          {faults.map((fault) => (
            <li key={fault.problem}>{faultText(fault)}</li>
          ))}
        </ul>
      )}
    </div>
  );
}

function faultText({ problem, count, lines }: LineFaults): string {
  const shown = lines.slice(0, LINES_SHOWN);
  const more = count > shown.length ? ` and ${numberText(count - shown.length)} more` : '';
  return `${count === 1 ? 'Line' : 'Lines'} ${shown.join(', ')}${more}: ${problem}`;
}

/** Gives the number of licenses issued. Rejects with what was wrong. */
async function importFile(
  org: string,
  file: File,
  onProgress: (progress: { done: number; total: number }) => void,
): Promise<number> {
  const ends: ImportLine[] = [];
  const options = { text: file.bytes, contentType: 'text/csv', headers: { Accept: 'application/x-ndjson' } };
  await callForLines<ImportLine>('POST', orgPath(org, 'license-import'), options, (line) => {
    if (line.type === 'progress') onProgress(line);
    else ends.push(line);
  });
  const [end] = ends;
  if (end?.type === 'done') return end.issued;
  if (end?.type === 'failed') {
    const faults = end.lines.map(({ line, problem }) => ({ problem, count: 1, lines: [line] }));
    throw new Refusal(0, end.code, `${wordsOf(end.code)}.`, { faults });
  }
  throw new Error('the import was broken off.');
}

/** The file as it is: the broker knows how spreadsheets write text. */
async function read(chosen: (Blob & { readonly name: string }) | undefined): Promise<File | null> {
  if (chosen === undefined) return null;
  const bytes = new Uint8Array(await chosen.arrayBuffer());
  return { name: chosen.name, bytes: chosen, users: Math.max(0, linesWithText(bytes) - 1) };
}

/** In whatever encoding: letters and line ends have the same bytes in all that spreadsheets write. */
function linesWithText(bytes: Uint8Array): number {
  let count = 0;
  let hasText = false;
  for (const byte of bytes) {
    if (byte === LINE_FEED) hasText = false;
    else if (byte > BLANK && !hasText) {
      hasText = true;
      count++;
    }
  }
  return count;
}
