import { Grid } from './grid.js';
import { countScale } from './scale.js';
import { useWidth } from './use-width.js';
import './chart.css';

export interface Bar {
  readonly key: string;
  /** Under the bar, where there is room. */
  readonly label: string;
  /** What the bar says on hovering. */
  readonly title: string;
  readonly value: number;
}

const HEIGHT = 170;
const LEFT = 44;
const TOP = 8;
const BOTTOM = 24;
const LABEL_WIDTH = 64;

/** Bars over time. The same numbers stand in a table beside it, for those who cannot see it. */
export function BarChart({ bars, label }: { readonly bars: readonly Bar[]; readonly label: string }) {
  const [frame, width] = useWidth<HTMLDivElement>();
  const ticks = countScale([0, ...bars.map(({ value }) => value)]);
  const high = ticks.at(-1) ?? 1;
  const bottom = HEIGHT - BOTTOM;
  const y = (value: number) => bottom - (value / high) * (bottom - TOP);
  const slot = (width - LEFT) / Math.max(1, bars.length);
  const gap = Math.min(6, slot * 0.25);
  const labelEvery = Math.max(1, Math.ceil(LABEL_WIDTH / Math.max(slot, 1)));
  return (
    <div class="chart" ref={frame}>
      {width > 0 && (
        <svg width={width} height={HEIGHT} role="img" aria-label={label}>
          <Grid ticks={ticks} left={LEFT} width={width} y={y} />
          {bars.map((bar, index) => {
            const x = LEFT + index * slot;
            const top = Math.min(y(bar.value), bottom - (bar.value > 0 ? 2 : 0));
            return (
              <g key={bar.key} class="bar">
                <title>{bar.title}</title>
                <rect class="slot" x={x} y={TOP} width={slot} height={bottom - TOP} />
                <rect x={x + gap / 2} y={top} width={Math.max(1, slot - gap)} height={bottom - top} rx={2} />
                {(bars.length - 1 - index) % labelEvery === 0 && (
                  <text
                    class="axis"
                    x={index === bars.length - 1 ? width : x + slot / 2}
                    y={HEIGHT - 6}
                    text-anchor={index === bars.length - 1 ? 'end' : 'middle'}
                  >
                    {bar.label}
                  </text>
                )}
              </g>
            );
          })}
        </svg>
      )}
    </div>
  );
}
