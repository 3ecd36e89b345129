import { computed, signal } from '@preact/signals';
import type { AuditEvent } from '../../protocol/events.js';
import { getPage, orgPath, withQuery } from '../api/client.js';
import { follow } from '../api/stream.js';
import type { Overview } from '../api/types.js';
import { now } from './clock.js';

export interface Sample extends Omit<Overview, 'at'> {
  /** Unix ms by the browser's clock. */
  readonly at: number;
}

/** How far back the live charts go, a sample a second. */
const SAMPLES_KEPT = 300;
/** A sample comes every second: without one for so long, nothing is known of now, whatever the connection looks like. */
const STALE_MS = 6000;
const EVENTS_KEPT = 200;
/** What arrives within this time is drawn at once: a busy org has hundreds of events a second. */
const FLUSH_MS = 250;

/** The last minutes, second by second, oldest first. */
export const samples = signal<readonly Sample[]>([]);
/** The newest events, newest first. */
export const events = signal<readonly AuditEvent[]>([]);
/** Whether the stream of events is open. */
export const areEventsLive = signal(false);
/** Whether the newest events are known: an empty list means that nothing has happened. */
export const areEventsKnown = signal(false);
const areSamplesFollowed = signal(false);

/** The sample of now; undefined: how things stand is not known. */
export const currentSample = computed(() => {
  const sample = samples.value.at(-1);
  return sample !== undefined && areSamplesFollowed.value && now.value - sample.at < STALE_MS
    ? sample
    : undefined;
});
/** The last that was known, however long ago. While Redis is away a sample only repeats what was. */
export const knownSample = computed(() => samples.value.findLast(({ redis }) => redis.up));

/** Follows how an org stands, until the returned function is called. */
export function followOverview(org: string): () => void {
  samples.value = [];
  areSamplesFollowed.value = false;
  return follow(withQuery('/v1/admin/live', { org }), 'overview', {
    onMessage: (data) => {
      const sample = { ...(data as Overview), at: Date.now() };
      samples.value = [...samples.value.slice(1 - SAMPLES_KEPT), sample];
    },
    onState: (isOpen) => {
      areSamplesFollowed.value = isOpen;
    },
  });
}

export interface EventHandlers {
  /** Hears of every event that comes in while following. */
  readonly onEach?: (event: AuditEvent) => void;
  /** The stream is open, for the first time or again: what happened until now `onEach` may not have heard of. */
  readonly onOpen?: () => void;
}

/** Follows an org's audit trail. */
export function followEvents(org: string, { onEach, onOpen }: EventHandlers = {}): () => void {
  events.value = [];
  areEventsLive.value = false;
  areEventsKnown.value = false;
  const gone = new AbortController();
  let waiting: AuditEvent[] = [];
  let timer: ReturnType<typeof setTimeout> | undefined;

  function flush(): void {
    timer = undefined;
    events.value = merged(waiting, events.value);
    waiting = [];
  }

  const stop = follow(orgPath(org, 'events', 'stream'), 'message', {
    onMessage: (data) => {
      const event = data as AuditEvent;
      waiting.push(event);
      onEach?.(event);
      timer ??= setTimeout(flush, FLUSH_MS);
    },
    onState: (isOpen) => {
      areEventsLive.value = isOpen;
      if (!isOpen) return;
      onOpen?.();
      // What happened before, or while the stream was broken.
      getPage<AuditEvent>(orgPath(org, 'events'), { limit: 50 }, gone.signal).then(
        (page) => {
          events.value = merged(page.items, events.value);
          areEventsKnown.value = true;
        },
        () => {},
      );
    },
  });
  return () => {
    clearTimeout(timer);
    gone.abort();
    stop();
  };
}

function merged(some: readonly AuditEvent[], others: readonly AuditEvent[]): readonly AuditEvent[] {
  const byId = new Map([...some, ...others].map((event) => [event.id, event]));
  return [...byId.values()].sort(newestFirst).slice(0, EVENTS_KEPT);
}

function newestFirst(a: AuditEvent, b: AuditEvent): number {
  const [aMs = 0, aNumber = 0] = a.id.split('-').map(Number);
  const [bMs = 0, bNumber = 0] = b.id.split('-').map(Number);
  return bMs - aMs || bNumber - aNumber;
}
