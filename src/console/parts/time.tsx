import { absoluteText, agoText } from '../format.js';
import { now } from '../state/clock.js';

/** A time as people say it; the exact one on hovering. */
export function Time({ at }: { readonly at: string }) {
  return (
    <time dateTime={at} title={absoluteText(at)}>
      {agoText(at, now.value)}
    </time>
  );
}
