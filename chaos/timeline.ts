import type { Finding } from './checks/finding.js';
import type { History, Note } from './history.js';
import type { RunResult } from './run.js';

/** Around a finding, what its user did is shown for so long. */
const AROUND_MS = 2500;

/** The run for people: faults and findings in order of time, and around each finding what its user saw. */
export function timelineText({ history, findings }: RunResult): string {
  const found = findings.map(
    ({ atMs, check, what }): Note => ({
      atMs,
      who: `VIOLATION (${check})`,
      what: what.split('\n').join('\n    '),
    }),
  );
  const shown = history.notes.filter((note) => isOfAll(note, history) || concerns(note, findings));
  return [...shown, ...found]
    .sort((a, b) => a.atMs - b.atMs)
    .map(({ atMs, who, what }) => `${history.seconds(atMs).padStart(9)}  ${who.padEnd(18)} ${what}`)
    .join('\n');
}

function isOfAll({ who }: Note, { faults }: History): boolean {
  return who === 'redis' || who === 'checker' || faults.some(({ target }) => target === who);
}

function concerns({ atMs, who, what }: Note, findings: readonly Finding[]): boolean {
  return findings.some(
    (finding) =>
      finding.user !== null &&
      Math.abs(finding.atMs - atMs) < AROUND_MS &&
      (who.startsWith(`${finding.user}/`) || what.includes(`${finding.user} `)),
  );
}
