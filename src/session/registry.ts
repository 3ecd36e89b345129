import type { Session, StateCounts } from './session.js';

/** The sessions that this node serves or is claiming, by org and user. */
export class Registry {
  readonly #orgs = new Map<string, Map<string, Session[]>>();
  #size = 0;
  /** Kept as the states change, so that nobody has to walk all sessions to count them. */
  readonly counts: Readonly<StateCounts>;
  readonly #counts: StateCounts = { claiming: 0, active: 0, jeopardy: 0, ended: 0 };

  constructor() {
    this.counts = this.#counts;
  }

  get size(): number {
    return this.#size;
  }

  add(session: Session): void {
    let users = this.#orgs.get(session.org);
    if (users === undefined) {
      users = new Map();
      this.#orgs.set(session.org, users);
    }
    const sessions = users.get(session.user);
    if (sessions === undefined) users.set(session.user, [session]);
    else sessions.push(session);
    session.countIn(this.#counts);
    this.#size++;
  }

  remove(session: Session): void {
    const users = this.#orgs.get(session.org);
    const sessions = users?.get(session.user);
    const index = sessions?.indexOf(session) ?? -1;
    if (users === undefined || sessions === undefined || index < 0) return;
    sessions.splice(index, 1);
    session.countIn(null);
    this.#size--;
    if (sessions.length === 0) users.delete(session.user);
  }

  /** Usually one; more while a newer connection of the user is claiming. */
  of(org: string, user: string): readonly Session[] {
    return this.#orgs.get(org)?.get(user) ?? [];
  }

  all(): Session[] {
    return [...this.#orgs.values()].flatMap((users) => [...users.values()].flat());
  }
}
