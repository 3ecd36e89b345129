// A client of soleseat.v1 that is right, and wrong in one way where it is told so: wrong-client.mjs [--fault NAME].
// It shares no code with the library, so that the kit judges two authors.
import { randomUUID } from 'node:crypto';
import { uptime } from 'node:os';
import { createInterface } from 'node:readline';
import { tellLook } from './tell-look.mjs';
import { isFinal, refusalIn } from './wrong-endings.mjs';
import { LeaseClock } from './wrong-lease.mjs';
import { Rules } from './wrong-rules.mjs';
import { messageIn, openSocket, tokenFrom } from './wrong-socket.mjs';

const { SEAT_URL, SEAT_TOKEN_URL, SEAT_MACHINE_ID, SEAT_MACHINE_NAME } = process.env;
const fault = process.argv[process.argv.indexOf('--fault') + 1];
const has = (name) => fault === name;
const instance = has('instance-of-machine') ? SEAT_MACHINE_ID : randomUUID();
const clocks = { 'clock-stands': () => performance.now(), 'wall-clock': () => Date.now() };
const lease = new LeaseClock(has, clocks[fault] ?? (() => uptime() * 1_000));

let [socket, session, token, attempt, failures] = [null, null, null, 0, 0];
let [state, seen, renewEveryMs, isReleasing, printed] = ['new', {}, 60_000, false, null];
const acts = { dial: (policy) => void dial(policy), leaveSeat: () => over() };
const rules = new Rules(has, (message) => tell(message), acts);
let timers = {};
let round = 0; // Grows with every dial: what was begun under an older number is stale.

const later = (name, ms, act) => {
  clearTimeout(timers[name]);
  timers[name] = setTimeout(act, ms);
};

async function fetchToken() {
  if (token === null || !has('token-kept')) token = await tokenFrom(SEAT_TOKEN_URL, has);
  return token;
}

async function dial(onConflict) {
  leaveSocket(4000);
  const mine = ++round;
  [state, seen] = ['dialling', {}];
  rules.asked ||= onConflict === 'ask';
  try {
    await fetchToken();
  } catch {
    if (has('token-gives-up')) return;
    if (mine === round) lost(1006, '');
    return;
  }
  if (mine !== round) return;
  const one = openSocket(has, SEAT_URL, token);
  socket = one;
  if (!has('no-answer-timeout')) later('answer', 10_000, () => drop('no answer'));
  one.on('open', () => greet(one, onConflict));
  one.on('message', (data) => one === socket && receive(String(data)));
  one.on('ping', () => state === 'conflict' && one === socket && expectBeat());
  one.on('unexpected-response', (_, response) => one === socket && refused(response));
  one.on('error', (error) => {
    if (one !== socket || error.code !== 'ECONNREFUSED' || !has('gives-up-unheard')) return;
    leaveSocket(4000);
    over();
  });
  one.on('close', (code, reason) => {
    if (one !== socket || state === 'over') return;
    socket = null;
    lost(code, String(reason));
  });
}

function tell(message) {
  if (message.type === 'takeover' && (!seen.isAsking || has('click-dates'))) lease.asked(false);
  socket?.send(JSON.stringify(message));
}

function greet(one, onConflict) {
  if (one !== socket) return;
  lease.asked(true);
  if (has('takeover-first')) one.send('{"type":"takeover"}');
  const policy = has('deny-first') ? 'deny' : has('reconnects-with-takeover') ? 'takeover' : onConflict;
  const epoch = has('epoch-rounded') ? Number(session?.epoch.toPrecision(14)) : session?.epoch;
  one.send(
    JSON.stringify({
      type: 'hello',
      machine: { id: has('machine-by-name') ? SEAT_MACHINE_NAME : SEAT_MACHINE_ID, name: SEAT_MACHINE_NAME },
      ...(!has('no-instance') && { instance: has('instance-new') ? randomUUID() : instance }),
      attempt: has('attempt-stands') ? 1 : ++attempt,
      ...rules.inHello(),
      onConflict: policy,
      ...(session !== null && !has('no-resume') && { resume: { sessionId: session.sessionId, epoch } }),
      ...(!has('token-in-header') && !has('no-token') && { token }),
    }),
  );
}

function refused(response) {
  const { isForGood, retryAfterMs } = refusalIn(has, response);
  if (isForGood) {
    leaveSocket(4000);
    return over();
  }
  if (retryAfterMs !== null) seen.retryAfterMs = retryAfterMs;
  socket = null;
  lost(1006, '');
}

function receive(text) {
  const message = messageIn(has, text);
  if (message === null) return;
  if (has('no-null') && Object.values(message).includes(null)) return leaveFor(1003);
  if (has('no-new-fields') && ('hue' in message || 'colour' in message)) return leaveFor(1003);
  const handler = Object.hasOwn(handlers, message.type) ? handlers[message.type] : null;
  if (handler === null && has('no-new-types')) leaveFor(1003);
  if (state === 'over' && message.type !== 'evicted') return;
  handler?.(message);
  if (lease.isBehind()) later('behind', 200, () => lease.isBehind() && drop('behind'));
  look();
}

const handlers = {
  ...rules.handlers,
  welcome(message) {
    clearTimeout(timers.answer);
    if (has('epoch-must-rise') && session !== null && message.epoch <= session.epoch) return drop();
    if (!rules.proof.proves(message)) {
      if (has('ticket-tries-again')) return drop();
      leaveSocket(4000);
      return over();
    }
    state = 'active';
    if (!has('session-kept') || session === null) session = { ...message };
    renewEveryMs = message.renewEveryMs;
    if (has('welcome-resets')) failures = 0;
    if (!isReleasing) lease.heard(message, true);
    rules.welcomed(message);
    expectBeat();
  },
  lease(message) {
    if (has('leases-ignored')) return expectBeat();
    if (!rules.proof.isProven && !has('lease-unproven')) return;
    lease.heard(message, false);
    if (session !== null && !has('first-epoch')) session.epoch = message.epoch;
    if (!has('never-resets') && !lease.isBehind()) failures = 0;
    if (!has('retry-after-kept')) delete seen.retryAfterMs;
    expectBeat();
  },
  conflict(message) {
    clearTimeout(timers.answer);
    clearTimeout(timers.beat);
    state = 'conflict';
    lease.heard(message, true);
    if (!has('conflict-keeps-lease')) lease.clear();
    if (!has('conflict-resumes')) session = null;
    if (has('takes-back')) socket.send('{"type":"takeover"}');
    seen.asked = has('asks-once') && seen.asked;
    seen.isAsking = message.asking === true;
    if (!has('retry-after-waits')) delete seen.retryAfterMs;
    rules.refused();
    if (has('asking-leaves') && message.asking) setTimeout(leaveFor, 500, 4000);
  },
  evicted({ reason }) {
    if (has('evicted-by-close') || (has('evicted-needs-session') && session.sessionId === '')) return;
    lease.clear();
    session = null;
    seen.evicted =
      !has('evicted-known-only') || /^(taken_over|superseded|evicted_by_admin|license_)/.test(reason);
    if (has('close-decides')) seen.evicted = false;
    clearTimeout(timers.beat);
    if (seen.evicted) state = 'evicted';
  },
  jeopardy({ graceMs }) {
    if (has('jeopardy-leaves')) return drop('jeopardy');
    if (has('jeopardy-ignored')) return;
    lease.inJeopardy(graceMs);
    clearTimeout(timers.beat);
    if (!has('jeopardy-forever')) later('beat', graceMs, () => drop('grace is over'));
  },
  error({ code, retryAfterMs }) {
    if (has('error-leaves') || (has('refused-leaves') && rules.isLeaving)) leaveFor(4000);
    if (code === 'on_leave' && has('on-leave-final')) seen.isFinal = true;
    if (code === 'on_leave' && has('on-leave-leaves')) leaveFor(4000);
    if (typeof retryAfterMs !== 'number' || has('retry-after-ignored')) return;
    if (code === 'token_not_yet_accepted' && state === 'active')
      refreshIn(retryAfterMs + Math.random() * 500);
    else seen.retryAfterMs = retryAfterMs;
  },
  draining({ reconnectWithinMs }) {
    if (!has('draining-ignored')) seen.drainWithinMs = reconnectWithinMs;
  },
  token_expiring() {
    if (!has('no-refresh')) refreshIn(0);
  },
};

function refreshIn(ms) {
  later('refresh', ms, async () => {
    const mine = round;
    if (!has('refresh-same')) await fetchToken();
    if (mine === round) socket?.send(JSON.stringify({ type: 'refresh', token }));
  });
}

/** The next lease, or ping, is due within this time. */
function expectBeat() {
  if (has('no-silence')) return;
  const patienceMs = has('impatient')
    ? 2.5 * renewEveryMs
    : Math.max(5_000, (has('floor-only') ? 0 : 2.5) * renewEveryMs);
  if (state !== 'conflict' || !has('conflict-deaf')) later('beat', patienceMs, () => drop('silence'));
}

function leaveSocket(code) {
  for (const timer of Object.values(timers)) clearTimeout(timer);
  timers = {};
  const old = socket;
  socket = null;
  old?.close(code);
}

/** The connection counts as lost, whatever the other end says to it. */
function drop() {
  if (has('waits-for-close')) return socket?.close(4000);
  leaveSocket(4000);
  lost(1006, '');
}

function leaveFor(code) {
  leaveSocket(code);
  lost(1006, '');
}

function over() {
  state = 'over';
  session = null;
  lease.clear();
  look();
}

function lost(code, reason) {
  leaveSocket(4000);
  lease.lost();
  rules.lost();
  if (has('lost-is-left') && rules.isLeaving) process.exit(0);
  if (
    isReleasing &&
    !has('release-waits') &&
    !(has('release-needs-reason') && reason !== 'released') &&
    !has('release-returns')
  )
    process.exit(0);
  if (has('loss-drops-lease')) lease.clear();
  if (isFinal(has, seen, code, reason)) return over();
  state = 'waiting';
  const widest = seen.drainWithinMs ?? Math.min(30_000, 500 * 2 ** (has('no-growth') ? 0 : failures++));
  const wait = has('no-jitter') ? 400 : Math.random() * widest;
  const own = has('token-no-wait') && !token ? 0 : wait;
  const policy = has('asks-again') && rules.asked ? 'ask' : 'deny';
  timers.retry = setTimeout(() => void dial(policy), own + (seen.retryAfterMs ?? 0));
  look();
}

function look() {
  if (state === 'active' && lease.isBehind()) timers.behind ??= setTimeout(() => drop('behind'), 200);
  const holds = tellLook(() => lease.holds());
  if (holds === printed) return;
  printed = holds;
  console.log(`holds ${holds}`);
}

const orders = {
  takeover() {
    if (state !== 'conflict') return void dial('takeover');
    if ((seen.asked && !has('every-click')) || seen.isFinal || rules.defersClick()) return;
    seen.asked = true;
    tell({ type: 'takeover' });
  },
  retry: () => has('retry-later') || void dial(has('retry-takes') ? 'takeover' : 'deny'),
  release() {
    if (has('release-silently')) process.exit(0);
    isReleasing = true;
    if (!has('release-keeps-lease')) lease.clear();
    if (state === 'active') socket.send('{"type":"release"}');
    else if (!has('release-waits')) process.exit(0);
    if (!has('release-waits')) setTimeout(() => process.exit(0), 2_000);
  },
  quit() {
    socket?.close(has('leaves-with-1000') ? 1000 : 4000);
    setTimeout(() => process.exit(0), 100);
  },
};

if (has('idle')) setInterval(() => {}, 1_000);
else {
  look();
  setInterval(look, 50);
  void dial('takeover');
  createInterface({ input: process.stdin })
    .on('line', (line) => {
      const [word, ms] = line.split(' ');
      (orders[word] ?? rules.orders[word])?.(Number(ms));
    })
    .on('close', () => !has('input-end-ignored') && orders.quit());
}
