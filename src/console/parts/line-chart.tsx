import { useState } from 'preact/hooks';
import { clockText, durationText, numberText } from '../format.js';
import { now } from '../state/clock.js';
import { Grid } from './grid.js';
import { countScale } from './scale.js';
import { useWidth } from './use-width.js';
import './chart.css';

export interface Moment {
  /** Unix ms. */
  readonly at: number;
  /** null: it was not known then. */
  readonly value: number | null;
}

interface Point extends Moment {
  readonly value: number;
}

const HEIGHT = 190;
const LEFT = 44;
const TOP = 10;
const BOTTOM = 26;
/** Points further apart are not joined: nobody was looking in between. */
const GAP_MS = 5000;
const SHORTEST_MS = 30_000;
const LONGEST_MS = 300_000;

/** A line that grows at its right end, which is now whether or not anything is known of it. Hovering tells the value of a moment. */
export function LineChart({
  moments,
  label,
}: {
  readonly moments: readonly Moment[];
  readonly label: string;
}) {
  const [frame, width] = useWidth<HTMLDivElement>();
  const [pointerX, setPointerX] = useState<number | null>(null);
  // The clock ticks a little later than a moment comes in.
  const endMs = Math.max(now.value, moments.at(-1)?.at ?? 0);
  const shown = moments.filter(({ at }) => endMs - at <= LONGEST_MS);
  const spanMs = Math.max(SHORTEST_MS, endMs - (shown[0]?.at ?? endMs));
  const points = shown.filter(isKnown);
  const current = currentOf(shown, endMs);
  const ticks = countScale(points.length === 0 ? [0] : points.map(({ value }) => value));
  const [low = 0, high = 1] = [ticks[0], ticks.at(-1)];
  const bottom = HEIGHT - BOTTOM;
  const x = (at: number) => LEFT + (1 - (endMs - at) / spanMs) * (width - LEFT - 2);
  const y = (value: number) => bottom - ((value - low) / (high - low)) * (bottom - TOP);
  const hovered = pointerX === null ? undefined : nearest(points, pointerX, x);
  const values = points.map(({ value }) => value);
  const summary =
    points.length === 0
      ? `${label}: no values yet`
      : `${label}: now ${current?.value ?? 'unknown'}, between ${Math.min(...values)} and ${Math.max(...values)} in the last ${durationText(spanMs)}`;

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
          {points.length > 0 && <Grid ticks={ticks} left={LEFT} width={width} y={y} />}
          {runsOf(shown).map((run) => (
            <g key={run[0]?.at}>
              <path class="area" d={areaOf(run, x, y, bottom)} />
              <path class="line" d={lineOf(run, x, y)} />
            </g>
          ))}
          {current !== null && <circle class="head" cx={x(current.at) - 2} cy={y(current.value)} r="4" />}
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

function isKnown(moment: Moment): moment is Point {
  return moment.value !== null;
}

/** The value of now; null: there is none. */
function currentOf(moments: readonly Moment[], endMs: number): Point | null {
  const last = moments.at(-1);
  return last !== undefined && isKnown(last) && endMs - last.at <= GAP_MS ? last : null;
}

/** Parts of the line: it breaks where nobody was looking, and where nothing was known. */
function runsOf(moments: readonly Moment[]): Point[][] {
  const runs: Point[][] = [];
  let before: Moment | undefined;
  for (const moment of moments) {
    if (isKnown(moment)) {
      const goesOn = before !== undefined && isKnown(before) && moment.at - before.at <= GAP_MS;
      if (!goesOn) runs.push([]);
      runs.at(-1)?.push(moment);
    }
    before = moment;
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
