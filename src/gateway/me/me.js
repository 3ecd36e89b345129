// The page asks with the user's token: of the fragment, which no server sees, or of the page that opened this one. It is
// kept in memory alone, and taken out of the address at once.

const says = document.querySelector('#says');
const out = document.querySelector('#out');
const machines = document.querySelector('#machines');

let token = new URLSearchParams(location.hash.slice(1)).get('token');
let sessionId = null;
history.replaceState(null, '', location.pathname);

function say(text, isWarning = false) {
  says.textContent = text;
  says.classList.toggle('warns', isWarning);
}

function when(time) {
  return new Date(time).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'short' });
}

async function ask(path, options = {}) {
  const headers = { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' };
  const response = await fetch(path, { ...options, headers });
  if (response.status === 401) throw new Error('This sign-in is not valid any more. Open the page anew.');
  if (!response.ok) throw new Error('Your seat cannot be looked up at present. Try again in a moment.');
  return response.json();
}

function showHolder(holder) {
  sessionId = holder?.sessionId ?? null;
  out.hidden = holder === null;
  if (holder === null) say('You are signed in nowhere.');
  else
    say(
      `You are signed in on ${holder.machine.name ?? 'a machine without a name'} since ${when(holder.since)}.`,
    );
}

function showMachines(list) {
  machines.hidden = list.length === 0;
  const rows = list.map((one) => {
    const row = document.createElement('tr');
    const name = `${one.name ?? 'without a name'}${one.hasSeat ? ' (signed in)' : ''}`;
    for (const text of [name, when(one.lastSeen), when(one.firstSeen)]) {
      const cell = document.createElement('td');
      cell.textContent = text;
      row.append(cell);
    }
    return row;
  });
  machines.querySelector('tbody').replaceChildren(...rows);
}

async function look() {
  try {
    const [{ holder }, { machines: list }] = await Promise.all([ask('v1/session'), ask('v1/machines')]);
    showHolder(holder);
    showMachines(list);
  } catch (error) {
    out.hidden = true;
    say(error.message, true);
  }
}

out.addEventListener('click', async () => {
  out.disabled = true;
  try {
    // Only the session that the person saw: another one may have begun meanwhile.
    await ask('v1/session/evict', { method: 'POST', body: JSON.stringify({ sessionId }) });
    await look();
  } catch (error) {
    say(error.message, true);
  }
  out.disabled = false;
});

addEventListener('message', ({ source, data }) => {
  if (source !== opener || data?.type !== 'soleseat.token' || typeof data.token !== 'string') return;
  token = data.token;
  void look();
});

if (token !== null) void look();
else {
  say('Open this page from your program: it brings the sign-in along.');
  opener?.postMessage({ type: 'soleseat.ready' }, '*');
}
