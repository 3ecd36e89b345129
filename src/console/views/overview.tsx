import { useEffect } from 'preact/hooks';
import type { Org } from '../api/types.js';
import { durationText, numberText, share } from '../format.js';
import { EventList } from '../parts/event-list.js';
import { LineChart } from '../parts/line-chart.js';
import { LiveBadge } from '../parts/live-badge.js';
import { Empty, Failure, Page, Waiting } from '../parts/page.js';
import { Sparkline } from '../parts/sparkline.js';
import { Time } from '../parts/time.js';
import {
  areEventsKnown,
  currentSample,
  events,
  followEvents,
  followOverview,
  knownSample,
  type Sample,
  samples,
} from '../state/live.js';
import { useOrg } from '../state/org.js';
import { hrefOf } from '../state/route.js';
import { Health } from './health.js';
import { Reasons } from './reasons.js';
import { UsageCard } from './usage-card.js';
import './overview.css';

const EVENTS_SHOWN = 7;

/** How an org stands: the live picture. */
export function OverviewView({ org }: { readonly org: string }) {
  useEffect(() => followOverview(org), [org]);
  useEffect(() => followEvents(org), [org]);
  const { value: answer, error } = useOrg();
  const sample = knownSample.value;
  return (
    <Page title="Overview" intro={`How ${org} stands at this moment.`} actions={<OverviewBadge />}>
      <Failure error={error} />
      <div class="overview">
        <div class="column">
          <ActiveCard sample={sample} />
          <Figures answer={answer} sample={sample} />
          <UsageCard org={org} />
          <div class="pair">
            <Reasons
              title="Why sessions ended"
              counts={answer?.counts.evictions}
              empty="No session has ended yet"
            />
            <Reasons
              title="Why claims were refused"
              counts={answer?.counts.denials}
              empty="No claim was refused"
            />
          </div>
        </div>
        <div class="column">
          <LicensesCard org={org} answer={answer} sample={sample} />
          <Health />
          <LatestCard org={org} />
        </div>
      </div>
    </Page>
  );
}

function OverviewBadge() {
  const up = currentSample.value?.redis.up;
  return <LiveBadge isLive={up === true} {...(up === false && { why: 'Redis is out of reach' })} />;
}

function LatestCard({ org }: { readonly org: string }) {
  return (
    <section class="card latest" aria-labelledby="latest">
      <div class="card-head">
        <h2 id="latest">Latest</h2>
        <a href={hrefOf(org, 'events')}>All events</a>
      </div>
      {events.value.length === 0 && !areEventsKnown.value ? (
        <Waiting />
      ) : events.value.length === 0 ? (
        <Empty title="Nothing has happened yet">Start a program, and see its user get the seat.</Empty>
      ) : (
        <EventList org={org} events={events.value.slice(0, EVENTS_SHOWN)} />
      )}
    </section>
  );
}

function ActiveCard({ sample }: { readonly sample: Sample | undefined }) {
  return (
    <section class="card hero" aria-labelledby="active">
      <h2 id="active">Active now</h2>
      <p class="hero-number" data-figure="active">
        {sample === undefined ? '–' : numberText(sample.active)}
      </p>
      <LineChart
        label="Active sessions"
        moments={samples.value.map(({ at, active, redis }) => ({ at, value: redis.up ? active : null }))}
      />
    </section>
  );
}

function LicensesCard(props: {
  readonly org: string;
  readonly answer: Org | undefined;
  readonly sample: Sample | undefined;
}) {
  const { org, answer, sample } = props;
  const issued = sample?.issued ?? answer?.counts.issued;
  const quota = sample === undefined ? answer?.settings.quota : sample.quota;
  const counts = answer?.counts;
  return (
    <section class="card quota-card" aria-labelledby="licenses">
      <div class="card-head">
        <h2 id="licenses">Licenses</h2>
        <a href={hrefOf(org, 'licenses')}>Manage</a>
      </div>
      <p class="figure" data-figure="issued">
        {knownText(issued)}
        {quota !== undefined && (
          <small>{quota === null ? ' issued, no quota' : ` of ${numberText(quota)} issued`}</small>
        )}
      </p>
      {issued !== undefined && typeof quota === 'number' && <QuotaBar issued={issued} quota={quota} />}
      <dl class="facts">
        <div>
          <dt>Left</dt>
          <dd>{leftText(issued, quota)}</dd>
        </div>
        <div>
          <dt>Suspended</dt>
          <dd>{knownText(counts?.suspended)}</dd>
        </div>
        <div>
          <dt>Expired</dt>
          <dd>{knownText(counts?.expired)}</dd>
        </div>
        <div>
          <dt>Unused for 30 days</dt>
          <dd>
            <a href={hrefOf(org, 'licenses', undefined, { show: 'unused' })}>show</a>
          </dd>
        </div>
      </dl>
    </section>
  );
}

/** A number, or that it is not known yet. */
function knownText(value: number | undefined): string {
  return value === undefined ? '–' : numberText(value);
}

function leftText(issued: number | undefined, quota: number | null | undefined): string {
  if (quota === null) return 'no limit';
  return knownText(issued === undefined || quota === undefined ? undefined : Math.max(0, quota - issued));
}

function QuotaBar({ issued, quota }: { readonly issued: number; readonly quota: number }) {
  const part = share(issued, quota);
  return (
    <svg
      class={`quota ${part >= 1 ? 'full' : ''}`}
      width="100%"
      height="10"
      aria-hidden="true"
      focusable="false"
    >
      <rect width="100%" height="10" rx="5" class="track" />
      <rect width={`${(part * 100).toFixed(2)}%`} height="10" rx="5" />
    </svg>
  );
}

function Figures({
  answer,
  sample,
}: {
  readonly answer: Org | undefined;
  readonly sample: Sample | undefined;
}) {
  const counts = answer?.counts;
  const isPeakKnown = sample !== undefined || counts !== undefined;
  const peak = Math.max(sample?.peak ?? 0, counts?.peak ?? 0);
  const takeovers = samples.value.filter(({ redis }) => redis.up).map((one) => one.takeoversPerMinute);
  const latency = sample?.nodeEvictionLatency ?? null;
  return (
    <div class="figures">
      <Figure name="Peak" value={isPeakKnown ? numberText(peak) : '–'}>
        {counts?.peakAt ? <Time at={counts.peakAt} /> : 'most at once, ever'}
      </Figure>
      <Figure
        name="Takeovers / min"
        value={sample === undefined ? '–' : numberText(sample.takeoversPerMinute)}
      >
        <Sparkline values={takeovers} />
      </Figure>
      <Figure name="Eviction latency" value={latencyText(latency)}>
        {latency !== null && 'at this node, half of the last 5 minutes'}
        {latency === null && sample !== undefined && 'no eviction at this node lately'}
      </Figure>
      <Figure name="Users today" value={counts === undefined ? '–' : numberText(counts.uniqueUsersToday)}>
        {counts === undefined
          ? ''
          : `${numberText(counts.uniqueUsersThisMonth)} this month, days of ${answer?.settings.timeZone ?? 'UTC'}`}
      </Figure>
    </div>
  );
}

function latencyText(latency: Sample['nodeEvictionLatency']): string {
  if (latency === null) return '–';
  return `${latency.isOver ? 'over ' : ''}${durationText(latency.medianMs)}`;
}

function Figure(props: {
  readonly name: string;
  readonly value: string;
  readonly children: preact.ComponentChildren;
}) {
  const { name, value, children } = props;
  return (
    <section class="card small" aria-label={name}>
      <h2>{name}</h2>
      <p class="figure">{value}</p>
      <div class="under">{children}</div>
    </section>
  );
}
