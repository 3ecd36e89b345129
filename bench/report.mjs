const metrics = [
  { name: 'cpuMsPerSession', label: 'broker CPU per established session', unit: 'ms', target: 1.3 },
  { name: 'noticeP50Ms', label: 'takeover notice to the loser, p50', unit: 'ms', target: 1.3 },
  { name: 'noticeP95Ms', label: 'takeover notice to the loser, p95', unit: 'ms' },
  { name: 'rssKibPerSession', label: 'memory per idle session, RSS', unit: 'KiB', target: 1.5 },
  { name: 'heapKibPerSession', label: 'memory per idle session, heap', unit: 'KiB', target: 1.5 },
  { name: 'signatureUs', label: 'a signed ticket, beside a token checked', unit: 'µs' },
  { name: 'sessionsPerSecond', label: 'sessions established a second', unit: '/s' },
];

export function percentile(values, percent) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)];
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return (sorted[Math.floor(middle)] + sorted[Math.ceil(middle) - 1]) / 2;
}

/**
 * Of all pairs that the rounds gave: the medians, and what Soleseat takes for each unit of the bare node's. That
 * is the median of the pairs' own ratios, since the machine may be slower in one round than in another.
 */
export function summarise(rounds) {
  return metrics.map(({ name, target, ...metric }) => {
    const pairs = rounds.flatMap((round) => round[name]);
    const ratios = pairs.map(({ bare, soleseat }) => soleseat / bare);
    const ratio = median(ratios);
    return {
      name,
      ...metric,
      bare: median(pairs.map(({ bare }) => bare)),
      soleseat: median(pairs.map(({ soleseat }) => soleseat)),
      ratio,
      ratioLow: percentile(ratios, 10),
      ratioHigh: percentile(ratios, 90),
      pairs: pairs.length,
      ...(target === undefined ? {} : { target, met: ratio <= target }),
    };
  });
}

export function table(summary) {
  const rows = summary.map(({ label, unit, bare, soleseat, ratio, ratioLow, ratioHigh, target, met }) => [
    `${label} (${unit})`,
    number(bare),
    number(soleseat),
    ratio.toFixed(2),
    `${ratioLow.toFixed(2)}–${ratioHigh.toFixed(2)}`,
    target === undefined ? '' : `≤ ${target}`,
    met === undefined ? '' : met ? 'met' : 'missed',
  ]);
  const all = [['', 'bare', 'soleseat', 'ratio', '10–90 %', 'target', ''], ...rows];
  const widths = all[0].map((_, column) => Math.max(...all.map((row) => row[column].length)));
  const pad = (cell, column) =>
    column === 0 || column === widths.length - 1
      ? cell.padEnd(widths[column])
      : cell.padStart(widths[column]);
  return all.map((row) => row.map(pad).join('  ').trimEnd()).join('\n');
}

function number(value) {
  return Math.abs(value) >= 100 ? value.toFixed(0) : value.toPrecision(3);
}
