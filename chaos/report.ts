import type { Overlap } from './checks/overlaps.js';
import type { Holding } from './history.js';
import type { RunResult } from './run.js';
import { summarise, summaryText } from './summary.js';
import { timelineText } from './timeline.js';

const PX_PER_SECOND = 40;
const LANE = 14;
const LABELS = 150;
const colours = ['#3b78c2', '#3a9a5c', '#b0862c', '#7c5bb5', '#2f9aa0', '#a3567b'];

/** One page that holds everything it shows: the intervals as a drawing, the summary and the timeline as text. */
export function reportHtml(results: readonly RunResult[]): string {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Soleseat chaos report</title>
<style>
body { font: 14px/1.4 system-ui, sans-serif; margin: 1.5em; color: #222; background: #fff }
pre { white-space: pre-wrap; background: #f5f5f5; padding: .8em; overflow: auto; max-height: 30em }
.drawing { overflow-x: auto; border: 1px solid #ccc } svg { display: block } text { font-size: 10px; fill: #444 }
.bad { color: #b00020 }
</style></head><body>
<h1>Soleseat chaos report</h1>
<p>A bar is a span in which a program had the right to believe that the seat was its own; its colour is its machine.
Red: two programs of a user believed at once. Grey: a fault. A cross: a violation. Hover for more.</p>
<pre>${escaped(summaryText(summarise(results)))}</pre>
${results.map(section).join('\n')}
</body></html>
`;
}

function section(result: RunResult): string {
  const { options, findings, history } = result;
  const verdict =
    findings.length === 0 ? 'no violation' : `<span class="bad">${findings.length} violations</span>`;
  const list = findings.map(
    ({ atMs, check, what }) => `<li class="bad">${history.seconds(atMs)} s, ${check}: ${escaped(what)}</li>`,
  );
  return `<h2>Seed ${escaped(options.seed)}: ${verdict}</h2>
<ul>${list.join('')}</ul>
<div class="drawing">${drawing(result)}</div>
<details><summary>Timeline</summary><pre>${escaped(timelineText(result))}</pre></details>`;
}

/** Rows from above: the faults of each target, then for each user the machines. */
function drawing({ history, overlaps, findings }: RunResult): string {
  const x = (ms: number) => LABELS + ((ms - history.startMs) / 1000) * PX_PER_SECOND;
  const endMs = Math.max(history.startMs, ...history.holdings.map(({ toMs }) => toMs));
  const rows = new Map<string, number>();
  const row = (name: string) => {
    const known = rows.get(name) ?? rows.size;
    rows.set(name, known);
    return known * LANE;
  };
  for (const target of [...new Set(history.faults.map(({ target }) => target))].sort()) row(target);
  for (const lane of [...new Set(history.holdings.map(laneOf))].sort(byNumber)) row(lane);
  const bars = [
    ...history.faults.map((fault) => {
      const title = `${fault.kind}: ${fault.note}`;
      return bar(x(fault.startMs), x(Math.min(fault.endMs, endMs)), row(fault.target), '#999', title);
    }),
    ...history.holdings.map((holding) =>
      bar(x(holding.fromMs), x(holding.toMs), row(laneOf(holding)), colourOf(holding), titleOf(holding)),
    ),
    ...overlaps.map((overlap) => overlapBar(overlap, x, row(`${overlap.user} ${overlap.loser.machine}`))),
    ...findings.map(({ atMs, user, what }) => {
      const y =
        user === null
          ? 0
          : (rows.get([...rows.keys()].find((name) => name.startsWith(`${user} `)) ?? '') ?? 0);
      return `<text x="${x(atMs)}" y="${y * LANE + 11}" class="bad" fill="#b00020">✕<title>${escaped(what)}</title></text>`;
    }),
  ];
  const labels = [...rows].map(([name, i]) => `<text x="4" y="${i * LANE + 11}">${escaped(name)}</text>`);
  const height = rows.size * LANE + 20;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${x(endMs).toFixed(0)}" height="${height}">
${grid(x, history.startMs, endMs, height)}${labels.join('')}${bars.join('\n')}</svg>`;
}

function grid(x: (ms: number) => number, startMs: number, endMs: number, height: number): string {
  const lines: string[] = [];
  for (let s = 0; startMs + s * 1000 <= endMs; s += 5) {
    const at = x(startMs + s * 1000).toFixed(0);
    lines.push(`<line x1="${at}" x2="${at}" y1="0" y2="${height}" stroke="#e5e5e5"/>`);
    lines.push(`<text x="${at}" y="${height - 4}">${s} s</text>`);
  }
  return lines.join('');
}

function bar(from: number, to: number, y: number, colour: string, title: string): string {
  const width = Math.max(1, to - from).toFixed(1);
  return (
    `<rect x="${from.toFixed(1)}" y="${y + 1}" width="${width}" height="${LANE - 3}" fill="${colour}">` +
    `<title>${escaped(title)}</title></rect>`
  );
}

function overlapBar({ loser, winner, fromMs, toMs, excuse }: Overlap, x: (ms: number) => number, y: number) {
  const title = `${(toMs - fromMs).toFixed(0)} ms: ${loser.program} beside ${winner.program} (${excuse})`;
  return bar(x(fromMs), x(toMs), y, '#d32f2f', title);
}

function laneOf({ grant }: Holding): string {
  return `${grant.user} ${grant.machine}`;
}

function colourOf({ grant }: Holding): string {
  const number = [...grant.machine].reduce((sum, letter) => sum + letter.charCodeAt(0), 0);
  return colours[number % colours.length] ?? '#3b78c2';
}

function titleOf({ grant, fromMs, toMs, how }: Holding): string {
  const { program, epoch, node } = grant;
  return `${program} on ${node}, epoch ${epoch}, for ${(toMs - fromMs).toFixed(0)} ms, then ${how}`;
}

function byNumber(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true });
}

function escaped(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
