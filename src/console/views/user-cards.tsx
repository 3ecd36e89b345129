import { useState } from 'preact/hooks';
import { call, orgPath } from '../api/client.js';
import type { License, Session, UserFacts } from '../api/types.js';
import { counted, endText, shortId } from '../format.js';
import { StatusBadge } from '../parts/badge.js';
import { Facts } from '../parts/facts.js';
import { Icon } from '../parts/icon.js';
import { MachineName } from '../parts/machine.js';
import { Empty } from '../parts/page.js';
import { Time } from '../parts/time.js';
import { useTimeZone } from '../state/org.js';
import { go, hrefOf } from '../state/route.js';
import { may } from '../state/session.js';
import { tell } from '../state/toasts.js';
import { IssueDialog } from './issue-dialog.js';
import { LicenseChanges } from './license-changes.js';

interface CardProps {
  readonly org: string;
  readonly user: string;
  readonly onChanged: () => void;
}

/** The license of a user, what may be done with it, and the way to one where there is none. */
export function LicenseCard({
  org,
  user,
  license,
  onChanged,
}: CardProps & { readonly license: License | null }) {
  const zone = useTimeZone();
  const [isIssuing, setIssuing] = useState(false);
  function onDone(after: License): void {
    if (after.user !== user) go(hrefOf(org, 'users', after.user));
    onChanged();
  }
  return (
    <section class="card" aria-labelledby="license">
      <div class="card-head">
        <h2 id="license">License</h2>
        {license !== null && <LicenseChanges org={org} license={license} onDone={onDone} />}
        {(license === null || license.status === 'revoked') && may('admin') && (
          <button type="button" class="button small" onClick={() => setIssuing(true)}>
            <Icon name="add" /> Issue license
          </button>
        )}
      </div>
      {license === null ? (
        <Empty title="No license" />
      ) : (
        <Facts
          facts={[
            ['Status', <StatusBadge key="status" status={license.status} />],
            ['Issued', <Time key="issued" at={license.issuedAt} />],
            ...(license.kind === null ? [] : [['Kind', license.kind] as const]),
            ...(license.startsAt === null
              ? []
              : [['Begins', <Time key="begins" at={license.startsAt} />] as const]),
            ['Ends', endText(license, zone)],
            ...(license.graceDays === 0
              ? []
              : [['Grace', counted(license.graceDays, 'day after its end', 'days after its end')] as const]),
            ...(license.idleExempt ? [['Idle limit', 'none for this license'] as const] : []),
            [
              'Last used',
              license.lastUsedAt === null ? 'never' : <Time key="used" at={license.lastUsedAt} />,
            ],
            ...(license.note === null ? [] : [['Note', license.note] as const]),
          ]}
        />
      )}
      {isIssuing && (
        <IssueDialog org={org} user={user} onDone={onChanged} onClose={() => setIssuing(false)} />
      )}
    </section>
  );
}

/** Says at the top of the page that the user gets no seat, until when and by whom. */
export function HoldNotice({ org, user, hold, onChanged }: CardProps & { readonly hold: UserFacts['hold'] }) {
  const [isBusy, setBusy] = useState(false);
  if (hold === null) return null;
  async function lift(): Promise<void> {
    if (isBusy) return;
    setBusy(true);
    await call('DELETE', orgPath(org, 'users', user, 'hold')).then(
      () => tell(`${user} may take a seat again.`),
      (error: Error) => tell(error.message, 'bad'),
    );
    setBusy(false);
    onChanged();
  }
  return (
    <p class="notice warn" role="status">
      <span>
        <strong>Held:</strong> {user} gets no seat until <Time at={hold.until} />
        {hold.actor !== null && `, by ${hold.actor}`}
        {hold.note !== null && `: ${hold.note}`}.
      </span>
      {may('operator') && (
        <button type="button" class="button small" aria-disabled={isBusy} onClick={() => void lift()}>
          Lift the hold
        </button>
      )}
    </p>
  );
}

/** Says at the top of the page why the license gives no seat. */
export function StatusNotice({ license }: { readonly license: License | null }) {
  const words = license === null ? undefined : statusWords[license.status];
  if (words === undefined) return null;
  return (
    <p class="notice warn" role="status">
      <span>
        <strong>{words[0]}:</strong> {words[1]}
      </span>
    </p>
  );
}

const statusWords: Partial<Readonly<Record<License['status'], readonly [string, string]>>> = {
  suspended: ['Suspended', 'this user gets no seat until the license is reinstated.'],
  expired: ['Expired', 'this user gets no seat until the license has another end date.'],
  revoked: ['Revoked', 'this user gets no seat until a license is issued again.'],
};

/** The seat of a user: who sits where, or whether the user may take it. */
export function SeatCard(props: {
  readonly session: Session | null;
  readonly mayCome: boolean;
  readonly onEvict: () => void;
  readonly onHold: () => void;
}) {
  const { session, mayCome, onEvict, onHold } = props;
  return (
    <section class="card" aria-labelledby="seat">
      <div class="card-head">
        <h2 id="seat">Seat</h2>
        {may('operator') && (
          <button type="button" class="button small" onClick={session === null ? onHold : onEvict}>
            {session === null ? 'Hold…' : 'Evict'}
          </button>
        )}
      </div>
      {session === null ? (
        <Empty title="Not in at present">
          {mayCome ? 'The seat is free for any machine of this user.' : 'Nor may this user come in.'}
        </Empty>
      ) : (
        <Facts
          facts={[
            ['Machine', <MachineName key="machine" machine={session.machine} />],
            ['Since', <Time key="since" at={session.since} />],
            ...(session.onLeaveUntil === null
              ? []
              : [['Taken along until', <Time key="leave" at={session.onLeaveUntil} />] as const]),
            ...(session.activeAt === null
              ? []
              : [['Last at work', <Time key="work" at={session.activeAt} />] as const]),
            ...(session.shared ? [['Programs', 'several share the seat'] as const] : []),
            ['Session', <code key="session">{session.sessionId}</code>],
            ['Epoch', <code key="epoch">{session.epoch}</code>],
            [
              'Node',
              <code key="node" title={session.nodeId}>
                {shortId(session.nodeId)}
              </code>,
            ],
          ]}
        />
      )}
    </section>
  );
}
