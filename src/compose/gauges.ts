import type { Metrics } from '../base/metrics.js';
import type { Gateway } from '../gateway/gateway.js';
import type { Lifecycle } from '../session/lifecycle.js';
import type { Inbox } from '../store/notices.js';
import type { Outages } from '../store/outages.js';
import type { RedisConnection } from '../store/redis.js';

export interface GaugesParts {
  readonly metrics: Metrics;
  readonly sessions: Pick<Lifecycle['sessions'], 'counts'>;
  readonly outages: Outages;
  readonly gateway: Pick<Gateway, 'connections'>;
  readonly commands: Pick<RedisConnection, 'status'>;
  readonly inbox: Pick<Inbox, 'isReady'>;
  readonly isReady: () => boolean;
  /** The number of this process among those that share the ports. */
  readonly worker: number;
}

/** Sets what is only looked at when somebody scrapes. */
export function refreshGauges(parts: GaugesParts): void {
  const { metrics, sessions, outages, gateway, commands, inbox, isReady, worker } = parts;
  const { active, jeopardy } = sessions.counts;
  metrics.sessions.set(active + jeopardy);
  metrics.jeopardy.set(jeopardy);
  metrics.connections.set(gateway.connections);
  metrics.ready.set(isReady() ? 1 : 0);
  metrics.redisUp.set({ role: 'commands' }, commands.status === 'ready' ? 1 : 0);
  metrics.redisUp.set({ role: 'inbox' }, inbox.isReady ? 1 : 0);
  const label = { worker: String(worker) };
  metrics.workerSessions.set(label, active + jeopardy);
  metrics.workerMemory.set(label, process.memoryUsage.rss());
  metrics.workerCpu.set(label, process.cpuUsage().user / 1e6 + process.cpuUsage().system / 1e6);
  outages.show(metrics.redisDownCause);
}
