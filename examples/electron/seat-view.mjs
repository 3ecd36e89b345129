import { closeCodes } from '@soleseat/client/protocol';

const WHOM_TO_ASK = 'Ask your license desk: licenses@example.com';
const ONE_MOMENT = { title: 'One moment …', text: 'Notes asks for your seat.' };
const signs = {
  reconnecting: 'Reconnecting …',
  jeopardy: 'The license server has trouble. You can go on.',
};

/**
 * Turns what happens to the seat into what the person sees, and shows that after every event: a small sign, and a cover over the
 * work as long as the seat is not here. A cover has a title, a text, and mostly a button: its label, and the order it gives.
 */
export function watchSeat(seat, show) {
  let cover = ONE_MOMENT;
  /** The machine that had the seat last, as far as this program was told. */
  let other = 'another machine';

  // One question decides between locked and unlocked.
  const look = () =>
    show(seat.holdsLease() ? { sign: signs[seat.state] ?? '', cover: null } : { sign: '', cover });
  // All that one message of the broker brings about comes first.
  for (const event of ['state', 'evicted', 'conflict', 'denied', 'reconnecting', 'lease', 'leaseExpired'])
    seat.on(event, () => queueMicrotask(look));

  seat.on('state', ({ state }) => {
    if (state === 'connecting') cover = ONE_MOMENT;
  });
  seat.on('evicted', ({ reason, by, at }) => {
    other = by?.machine.name ?? other;
    cover = coverOfEviction(reason, other, at);
  });
  seat.on('conflict', ({ holder }) => {
    other = holder.machine.name ?? other;
    cover = useHere(
      holder.sameMachine ? 'Notes is open in another window' : `You use Notes on ${other}`,
      since(holder.since),
    );
  });
  seat.on('denied', ({ reason, message }) => {
    cover = coverOfRefusal(reason, message, other);
  });
  seat.on('reconnecting', ({ cause }) => {
    // It is seen only once the lease is over.
    cover = tryAgain('No connection to the license server', `${cause.message} Your text is saved.`);
  });
  seat.on('leaseExpired', () => {
    // The connection is well, but the broker cannot reach its Redis. There is nothing that the person could do.
    if (seat.state === 'jeopardy')
      cover = {
        title: 'The license server has trouble',
        text: 'Notes goes on by itself. Your text is saved.',
      };
  });
  look();
}

function coverOfEviction(reason, other, at) {
  if (reason === 'taken_over') return useHere(`You now use Notes on ${other}`, since(at));
  if (reason === 'evicted_by_admin')
    return tryAgain('Your administrator ended the session', 'Your text is saved.');
  const meaning = closeCodes.find((row) => row.reason === reason)?.meaning ?? `The reason: ${reason}.`;
  return tryAgain('Notes is locked', `${meaning} Your text is saved.\n${WHOM_TO_ASK}`);
}

function coverOfRefusal(reason, message, other) {
  if (reason === 'flapping') return useHere('Somebody else uses your license', `Is it you, on ${other}?`);
  if (reason === 'unauthorized') return tryAgain('Please sign in again', message);
  return tryAgain('You have no license for Notes', `${message}\n${WHOM_TO_ASK}`);
}

function useHere(title, text) {
  return { title, text, label: 'Use here', order: 'takeOver' };
}

function tryAgain(title, text) {
  return { title, text, label: 'Try again', order: 'retryNow' };
}

function since(atMs) {
  const at = new Date(atMs);
  const isToday = at.toDateString() === new Date().toDateString();
  const clock = at.toLocaleString('en-GB', {
    ...(!isToday && { day: 'numeric', month: 'long' }),
    hour: '2-digit',
    minute: '2-digit',
  });
  return `Since ${clock}. Your text is saved.`;
}
