import { numberText } from '../format.js';

/** The lines behind a chart, one for each tick, with its number at the left. */
export function Grid({
  ticks,
  left,
  width,
  y,
}: {
  readonly ticks: readonly number[];
  readonly left: number;
  readonly width: number;
  readonly y: (value: number) => number;
}) {
  return (
    <>
      {ticks.map((tick) => (
        <g key={tick} class="grid">
          <line x1={left} x2={width} y1={y(tick)} y2={y(tick)} />
          <text x={left - 10} y={y(tick) + 4} text-anchor="end">
            {numberText(tick)}
          </text>
        </g>
      ))}
    </>
  );
}
