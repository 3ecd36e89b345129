import { absoluteText, agoText } from '../format.js';
import { now } from '../state/clock.js';
import { useTimeZone } from '../state/org.js';

/** A time as people say it; the exact one on hovering. Days are those of the org's zone, whoever looks at them from where. */
export function Time({ at }: { readonly at: string }) {
  const zone = useTimeZone();
  return (
    <time dateTime={at} title={absoluteText(at, zone)}>
      {agoText(at, now.value, zone)}
    </time>
  );
}
