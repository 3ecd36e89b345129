import './live-badge.css';

/** Whether what is shown is of now; if not, `why` says more than that the connection is being made. */
export function LiveBadge(props: { readonly isLive: boolean; readonly why?: string }) {
  const { isLive, why = 'Connecting…' } = props;
  return (
    <span class={`live ${isLive ? 'on' : 'off'}`} role="status">
      {isLive ? 'Live' : why}
    </span>
  );
}
