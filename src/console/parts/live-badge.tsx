/** Whether what is shown is of now. */
export function LiveBadge({ isLive }: { readonly isLive: boolean }) {
  return (
    <span class={`live ${isLive ? 'on' : 'off'}`} role="status">
      {isLive ? 'Live' : 'Connecting…'}
    </span>
  );
}
