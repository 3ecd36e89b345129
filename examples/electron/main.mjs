// An editor for notes that only works where its user has the seat. This is Electron's main process; README.md says how to start it,
// also without Electron.
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { connect } from '@soleseat/client';
import { machineId } from '@soleseat/client/machine-id';
import { watchSeat } from './seat-view.mjs';

const SAVE_AFTER_MS = 500;
const { SEAT_URL, SEAT_TOKEN_URL, SEAT_TOKEN, SEAT_MACHINE_ID, SEAT_MACHINE_NAME, NOTES_FILE } = process.env;
const { openWindow } = await import(
  process.versions.electron ? './window-electron.mjs' : './window-chromium.mjs'
);

// Electron is ready only once this file has been run to its end: nothing here may wait for the window.
start().catch((fault) => {
  console.error(fault.message);
  process.exit(1);
});

async function start() {
  const machine = await thisMachine();
  const notes = openNotes(NOTES_FILE ?? `notes-${machine.name}.txt`);
  const window = await openWindow({ width: 760, height: 480 });
  const seat = connect({
    url: SEAT_URL ?? 'ws://127.0.0.1:8080',
    getToken,
    machine,
    client: { name: 'Notes', version: '1.0' },
  });
  watchSeat(seat, (view) => {
    // First the work, then the cover.
    if (view.cover !== null) notes.save();
    window.show({ ...view, machine: machine.name, text: notes.text });
  });
  const orders = {
    changed: (text) => notes.change(text),
    // A person clicked: that alone may take the seat from another machine.
    takeOver: () => seat.takeOver(),
    retryNow: () => seat.retryNow(),
  };
  window.onOrder = (order, text) => orders[order]?.(text);
  window.onClosed = async () => {
    notes.save();
    // The other machine can have the seat at once. It takes 2 s at most.
    await seat.release();
    process.exit(0);
  };
}

/** The text, which the page shows and this process keeps: nothing that happens to the page or to the seat can lose it. */
function openNotes(file) {
  let text = existsSync(file) ? readFileSync(file, 'utf8') : '';
  let saved = text;
  let timer;
  const save = () => {
    clearTimeout(timer);
    if (text === saved) return;
    // A file that is half written never takes the place of the last whole one.
    writeFileSync(`${file}.new`, text);
    renameSync(`${file}.new`, file);
    saved = text;
  };
  return {
    get text() {
      return text;
    },
    change(newText) {
      text = newText;
      clearTimeout(timer);
      timer = setTimeout(save, SAVE_AFTER_MS);
    },
    save,
  };
}

/** A token from the address of your own server, or one that is given for a try. */
async function getToken() {
  if (!SEAT_TOKEN_URL) return SEAT_TOKEN ?? Promise.reject(new Error('SEAT_TOKEN is not set'));
  const answer = await fetch(SEAT_TOKEN_URL);
  if (!answer.ok) throw new Error(`the token server answered ${answer.status}`);
  return (await answer.text()).trim();
}

/** SEAT_MACHINE_ID makes this computer look like another one. */
function thisMachine() {
  return SEAT_MACHINE_ID
    ? { id: SEAT_MACHINE_ID, name: SEAT_MACHINE_NAME ?? SEAT_MACHINE_ID }
    : machineId({ application: 'com.example.notes' });
}
