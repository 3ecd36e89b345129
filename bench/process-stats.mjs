import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';

const hasProc = existsSync('/proc/self/stat');
/** USER_HZ: what Linux counts CPU in for its readers. */
const TICKS_PER_SECOND = 100;

/** CPU used so far (user and system, all threads) and memory now of another process. */
export function processStats(pid) {
  return hasProc ? fromProc(pid) : fromPs(pid);
}

function fromProc(pid) {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The name of the program may hold spaces and brackets; what follows is fields 3 and on.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticks = Number(fields[11]) + Number(fields[12]);
  const [, kib] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return { cpuMs: (ticks * 1000) / TICKS_PER_SECOND, rssBytes: Number(kib) * 1024 };
}

function fromPs(pid) {
  const [time, kib] = execFileSync('ps', ['-o', 'cputime=', '-o', 'rss=', '-p', String(pid)], {
    encoding: 'utf8',
  })
    .trim()
    .split(/\s+/);
  return { cpuMs: parseCpuTime(time) * 1000, rssBytes: Number(kib) * 1024 };
}

/** `[[dd-]hh:]mm:ss[.cc]` in seconds. */
function parseCpuTime(text) {
  const [clock, days = '0'] = text.split('-').reverse();
  return clock.split(':').reduce((total, part) => total * 60 + Number(part), 0) + Number(days) * 86_400;
}
