import type { AdminAnswers, RowOf } from '../protocol/admin-answers.js';
import type { AuditEvent } from '../protocol/events.js';
import type { ListPage } from './desk/admin-api.js';
import { type Desk, type DeskOptions, deskFor } from './desk/desk.js';
import { interrupted } from './desk/events.js';
import { CommandFailure, exitCodes } from './failure.js';
import { topPicture } from './top-picture.js';

const HISTORY = 600;
const EVENTS = 12;
const NODES_NOT_KNOWN = '  nodes: not known while Redis is out of reach';
const enter = '\u001b[?1049h\u001b[?25l';
const leave = '\u001b[?25h\u001b[?1049l';
const home = '\u001b[H';
const clearLine = '\u001b[K';
const clearBelow = '\u001b[J';

/**
 * `soleseat top`: how things stand, redrawn every second until Ctrl+C or q. Without a terminal, one picture, and 69 where
 * Redis is out of reach, as for one org, which the broker then cannot tell from one that there is not.
 */
export async function top(options: DeskOptions): Promise<void> {
  const desk = await deskFor(options);
  const isScreen = process.stdout.isTTY && !desk.isJson;
  const history: number[] = [];
  const screen = isScreen ? new Screen() : null;
  try {
    await follow(desk, history, screen);
  } finally {
    screen?.close();
  }
}

async function follow(desk: Desk, history: number[], screen: Screen | null): Promise<void> {
  const query = desk.org === null ? {} : { org: desk.org };
  for await (const overview of desk.api.follow<AdminAnswers['watchOverview']>(
    '/v1/admin/live',
    query,
    interrupted(),
  )) {
    if (desk.isJson) {
      console.log(JSON.stringify(overview));
      continue;
    }
    history.push(overview.active);
    if (history.length > HISTORY) history.shift();
    const [nodes, events] = await Promise.all([nodesOf(desk), eventsOf(desk)]);
    const { columns = 80, rows = 40 } = process.stdout;
    const notes = nodes === null ? [NODES_NOT_KNOWN.slice(0, columns)] : [];
    const state = { org: desk.org, overview, history, nodes: nodes ?? [], events };
    const lines = [...topPicture(state, columns, rows - notes.length), ...notes];
    if (screen === null) {
      console.log(lines.map(desk.clean).join('\n'));
      if (!overview.redis.up || nodes === null) process.exitCode = exitCodes.unavailable;
      return;
    }
    screen.show(lines.map(desk.clean));
  }
}

/** The terminal as long as there is a picture on it. A failure is told on the ordinary screen, where it stays. */
class Screen {
  #isOpen = false;

  show(lines: readonly string[]): void {
    if (!this.#isOpen) this.#open();
    process.stdout.write(home + lines.map((line) => line + clearLine).join('\n') + clearBelow);
  }

  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    process.stdout.write(leave);
    if (process.stdin.isTTY) process.stdin.setRawMode(false).pause();
  }

  #open(): void {
    this.#isOpen = true;
    process.stdout.write(enter);
    process.once('exit', () => this.close());
    if (!process.stdin.isTTY) return;
    process.stdin.setRawMode(true).resume();
    process.stdin.on('data', (keys) => {
      const text = keys.toString();
      if (text === 'q') process.exit(exitCodes.ok);
      if (text === '\u0003') process.exit(exitCodes.interrupted);
    });
  }
}

/** Nodes are of all orgs: a token for one org is not shown them. Null: Redis, which lists them, is out of reach. */
async function nodesOf(desk: Desk): Promise<readonly RowOf<'listNodes'>[] | null> {
  try {
    return (await desk.api.call<AdminAnswers['listNodes']>('GET', '/v1/admin/nodes')).items;
  } catch (error) {
    return error instanceof CommandFailure && error.exitCode === exitCodes.unavailable ? null : [];
  }
}

async function eventsOf(desk: Desk): Promise<readonly AuditEvent[]> {
  if (desk.org === null) return [];
  const query = { limit: EVENTS };
  const page = await desk.api
    .call<ListPage<AuditEvent>>('GET', desk.orgPath('events'), { query })
    .catch(() => null);
  return page?.items ?? [];
}
