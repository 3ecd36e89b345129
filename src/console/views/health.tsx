import { counted, durationText, numberText, wordsOf } from '../format.js';
import { Badge } from '../parts/badge.js';
import type { Sample } from '../state/live.js';

/** Whether nodes and Redis are well. */
export function Health({ sample }: { readonly sample: Sample | undefined }) {
  const redis = sample?.redis;
  const facts = Object.entries(redis ?? {}).filter(([name]) => name !== 'up');
  return (
    <section class="card" aria-labelledby="health">
      <h2 id="health">Health</h2>
      <dl class="facts">
        <div>
          <dt>Redis</dt>
          <dd>
            {redis === undefined ? (
              '–'
            ) : (
              <Badge text={redis.up ? 'up' : 'out of reach'} tone={redis.up ? 'good' : 'bad'} />
            )}
          </dd>
        </div>
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt>{nameOf(name)}</dt>
            <dd>{valueText(name, value)}</dd>
          </div>
        ))}
        <div>
          <dt>Nodes</dt>
          <dd>{sample === undefined ? '–' : counted(sample.nodes, 'node')}</dd>
        </div>
      </dl>
    </section>
  );
}

const MEBIBYTE = 1024 * 1024;

/** `usedMemoryBytes` is `Used memory`: the unit stands with the value. */
function nameOf(name: string): string {
  const words = wordsOf(
    name.replace(/(Ms|Bytes)$/, '').replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
  );
  return words.charAt(0).toUpperCase() + words.slice(1);
}

function valueText(name: string, value: unknown): string {
  if (typeof value !== 'number') return value === null ? '–' : String(value);
  if (name.endsWith('Ms')) return durationText(value);
  if (name.endsWith('Bytes')) return `${numberText(Number((value / MEBIBYTE).toFixed(1)))} MiB`;
  return numberText(value);
}
