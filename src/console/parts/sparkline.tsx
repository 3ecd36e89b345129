import './chart.css';

const WIDTH = 100;
const HEIGHT = 28;

/** The shape of the last minutes, without a scale: the number beside it is what is read. */
export function Sparkline({ values }: { readonly values: readonly number[] }) {
  const high = Math.max(...values, 1);
  const step = WIDTH / Math.max(1, values.length - 1);
  const points = values.map(
    (value, index) =>
      `${(index * step).toFixed(1)},${(HEIGHT - 2 - (value / high) * (HEIGHT - 4)).toFixed(1)}`,
  );
  return (
    <svg
      class="sparkline"
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      preserveAspectRatio="none"
      aria-hidden="true"
      focusable="false"
    >
      {points.length > 1 && <polyline points={points.join(' ')} />}
    </svg>
  );
}
