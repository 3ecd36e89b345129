import { useState } from 'preact/hooks';
import { clockText, durationText, numberText } from '../format.js';
import { Grid } from './grid.js';
import { countScale } from './scale.js';
import { useWidth } from './use-width.js';

export interface Point {
  /** Unix ms. */
  readonly at: number;
  readonly value: number;
}

const HEIGHT = 190;
const LEFT = 44;
const TOP = 10;
const BOTTOM = 26;
/** Points further apart are not joined: nobody was looking in between. */
const GAP_MS = 5000;
const SHORTEST_MS = 30_000;

/** A line that grows at its right end. Hovering tells the value of a moment. */
export function LineChart({ points, label }: { readonly points: readonly Point[]; readonly label: string }) {
  const [frame, width] = useWidth<HTMLDivElement>();
  const [pointerX, setPointerX] = useState<number | null>(null);
  const last = points.at(-1);
  const spanMs = Math.max(SHORTEST_MS, (last?.at ?? 0) - (points[0]?.at ?? 0));
  const ticks = countScale(points.length === 0 ? [0] : points.map(({ value }) => value));
  const [low = 0, high = 1] = [ticks[0], ticks.at(-1)];
  const bottom = HEIGHT - BOTTOM;
  const x = (at: number) => LEFT + (1 - ((last?.at ?? 0) - at) / spanMs) * (width - LEFT - 2);
  const y = (value: number) => bottom - ((value - low) / (high - low)) * (bottom - TOP);
  const hovered = pointerX === null ? undefined : nearest(points, pointerX, x);
  const values = points.map(({ value }) => value);
  const summary =
    last === undefined
      ? `${label}: no values yet`
      : `${label}: now ${last.value}, between ${Math.min(...values)} and ${Math.max(...values)} in the last ${durationText(spanMs)}`;

  return (
    <div class="chart" ref={frame}>
      {width > 0 && (
        <svg
          width={width}
          height={HEIGHT}
          role="img"
          aria-label={summary}
          onPointerMove={(event) =>
            setPointerX(event.clientX - event.currentTarget.getBoundingClientRect().left)
          }
          onPointerLeave={() => setPointerX(null)}
        >
          <Grid ticks={ticks} left={LEFT} width={width} y={y} />
          {runsOf(points).map((run) => (
            <g key={run[0]?.at}>
              <path class="area" d={areaOf(run, x, y, bottom)} />
              <path class="line" d={lineOf(run, x, y)} />
            </g>
          ))}
          {last !== undefined && <circle class="head" cx={x(last.at) - 2} cy={y(last.value)} r="4" />}
          <text class="axis" x={LEFT} y={HEIGHT - 6}>
            {durationText(spanMs)} ago
          </text>
          <text class="axis" x={width - 2} y={HEIGHT - 6} text-anchor="end">
            now
          </text>
          {hovered !== undefined && (
            <g class="hover">
              <line x1={x(hovered.at)} x2={x(hovered.at)} y1={TOP} y2={bottom} />
              <circle cx={x(hovered.at)} cy={y(hovered.value)} r="4" />
              <text
                x={Math.min(x(hovered.at) + 8, width - 4)}
                y={TOP + 12}
                text-anchor={x(hovered.at) > width - 120 ? 'end' : 'start'}
                dx={x(hovered.at) > width - 120 ? -16 : 0}
              >
                {`${numberText(hovered.value)} at ${clockText(hovered.at)}`}
              </text>
            </g>
          )}
        </svg>
      )}
    </div>
  );
}

type Scale = (value: number) => number;

/** A count holds until the next one: steps, not slopes. */
function lineOf(run: readonly Point[], x: Scale, y: Scale): string {
  const [first, ...rest] = run;
  if (first === undefined) return '';
  const steps = rest.map(({ at, value }) => `H${x(at).toFixed(1)}V${y(value).toFixed(1)}`);
  return `M${x(first.at).toFixed(1)} ${y(first.value).toFixed(1)}${steps.join('')}`;
}

function areaOf(run: readonly Point[], x: Scale, y: Scale, bottom: number): string {
  const [first, last] = [run[0], run.at(-1)];
  if (first === undefined || last === undefined) return '';
  return `${lineOf(run, x, y)}H${x(last.at).toFixed(1)}V${bottom}H${x(first.at).toFixed(1)}Z`;
}

function runsOf(points: readonly Point[]): Point[][] {
  const runs: Point[][] = [];
  let before: Point | undefined;
  for (const point of points) {
    if (before === undefined || point.at - before.at > GAP_MS) runs.push([]);
    runs.at(-1)?.push(point);
    before = point;
  }
  return runs;
}

function nearest(points: readonly Point[], pointerX: number, x: Scale): Point | undefined {
  const distance = ({ at }: Point) => Math.abs(x(at) - pointerX);
  return points.reduce<Point | undefined>(
    (best, point) => (best === undefined || distance(point) < distance(best) ? point : best),
    undefined,
  );
}
