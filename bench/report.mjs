const metrics = [
  { name: 'cpuMsPerSession', label: 'broker CPU per established session', unit: 'ms', target: 1.3 },
  { name: 'noticeP50Ms', label: 'notice to the loser, p50', unit: 'ms', target: 1.3 },
  { name: 'noticeP99Ms', label: 'notice to the loser, p99', unit: 'ms' },
  { name: 'kibPerSession', label: 'memory per idle session', unit: 'KiB', target: 1.5 },
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

/** The medians of all rounds, and what Soleseat takes for each unit of the bare node's. */
export function summarise(rounds) {
  return metrics.map(({ name, target, ...metric }) => {
    const bare = median(rounds.map((round) => round.bare[name]));
    const soleseat = median(rounds.map((round) => round.soleseat[name]));
    const ratio = soleseat / bare;
    const verdict = target === undefined ? {} : { target, met: ratio <= target };
    return { name, ...metric, bare, soleseat, ratio, ...verdict };
  });
}

export function table(summary) {
  const rows = summary.map(({ label, unit, bare, soleseat, ratio, target, met }) => [
    `${label} (${unit})`,
    number(bare),
    number(soleseat),
    ratio.toFixed(2),
    target === undefined ? '' : `≤ ${target}`,
    met === undefined ? '' : met ? 'met' : 'missed',
  ]);
  const all = [['', 'bare', 'soleseat', 'ratio', 'target', ''], ...rows];
  const widths = all[0].map((_, column) => Math.max(...all.map((row) => row[column].length)));
  const pad = (cell, column) =>
    column === 0 || column === 5 ? cell.padEnd(widths[column]) : cell.padStart(widths[column]);
  return all.map((row) => row.map(pad).join('  ').trimEnd()).join('\n');
}

function number(value) {
  return Math.abs(value) >= 100 ? value.toFixed(0) : value.toPrecision(3);
}
