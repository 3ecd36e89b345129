import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { hostPort, listenAt } from '../base/listening.js';
import { type Configuration, type ConfigurationSources, loadConfiguration } from './configuration.js';
import { certificateFindings } from './doctor-certificates.js';
import type { Finding } from './doctor-finding.js';
import { keyFindings } from './doctor-keys.js';
import { redisFindings } from './doctor-redis.js';
import { CommandFailure, exitCodes } from './failure.js';

const signs = { good: '✓', warning: '!', bad: '✗' } as const;
/** One connection is one open file; below this a node is full early. */
const FEW_FILES = 10_000;

/**
 * `soleseat doctor`: looks at everything that `serve` stands on and says what to change. Ends with 78 on bad settings,
 * with 69 when Redis cannot be reached, with 1 when something else is bad.
 */
export async function doctor(
  sources: ConfigurationSources,
  options: { readonly json?: boolean },
): Promise<void> {
  const findings: Finding[] = [];
  const configuration = readConfiguration(sources, findings);
  if (configuration === null) {
    process.exitCode = exitCodes.config;
  } else {
    findings.push(...(await keyFindings(configuration)), ...timingFindings(configuration), fileLimit());
    findings.push(...certificateFindings(configuration), ...(await portFindings(configuration)));
    const redis = await redisFindings(configuration);
    findings.push(...redis.findings);
    if (!redis.isReached) process.exitCode = exitCodes.unavailable;
    else if (findings.some(({ level }) => level === 'bad')) process.exitCode = exitCodes.failed;
  }
  if (options.json) return console.log(JSON.stringify(findings, null, 2));
  for (const { level, what, advice } of findings) {
    console.log(`${signs[level]} ${what}${advice === undefined ? '' : `\n    ${advice}`}`);
  }
  const bad = findings.filter(({ level }) => level === 'bad').length;
  const warnings = findings.filter(({ level }) => level === 'warning').length;
  console.log(bad + warnings === 0 ? '\nAll is well.' : `\n${bad} to mend, ${warnings} to look at.`);
}

function readConfiguration(sources: ConfigurationSources, findings: Finding[]): Configuration | null {
  try {
    const configuration = loadConfiguration(sources);
    findings.push({ level: 'good', what: 'the settings are complete and fit together' });
    return configuration;
  } catch (error) {
    if (!(error instanceof CommandFailure)) throw error;
    for (const line of error.message.split('\n')) {
      findings.push({
        level: 'bad',
        what: line,
        advice: '`soleseat config print` tells what each setting means',
      });
    }
    return null;
  }
}

function timingFindings({ settings }: Configuration): Finding[] {
  const { leaseTtlMs, renewEveryMs } = settings;
  const what = `leases last ${leaseTtlMs / 1000} s and are renewed every ${renewEveryMs / 1000} s`;
  if (leaseTtlMs >= 3 * renewEveryMs) return [{ level: 'good', what }];
  const advice = 'With a TTL of three renewals, two may fail before a session is in danger.';
  return [{ level: 'warning', what, advice }];
}

function fileLimit(): Finding {
  const limits = readLimits();
  const soft = /^Max open files\s+(\d+|unlimited)/m.exec(limits)?.[1];
  if (soft === undefined)
    return {
      level: 'warning',
      what: 'the limit of open files is not known here',
      advice: 'One connection is one file.',
    };
  const what = `open files: ${soft}`;
  if (soft === 'unlimited' || Number(soft) >= FEW_FILES) return { level: 'good', what };
  return {
    level: 'warning',
    what,
    advice: 'One connection is one file: raise it (ulimit -n, LimitNOFILE) for more sessions.',
  };
}

function readLimits(): string {
  try {
    return readFileSync('/proc/self/limits', 'utf8');
  } catch {
    return '';
  }
}

async function portFindings({ settings }: Configuration): Promise<Finding[]> {
  const { host, port, adminHost, adminPort } = settings;
  return Promise.all([portFinding('public', host, port), portFinding('admin', adminHost, adminPort)]);
}

async function portFinding(name: string, host: string, port: number): Promise<Finding> {
  const address = `the ${name} address ${hostPort(host, port)}`;
  try {
    await listenAt(host, (at) => listenOnce(at, port));
    return { level: 'good', what: `${address} is free` };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const isTaken = code === 'EADDRINUSE';
    const advice = isTaken
      ? 'Fine if it is this broker that runs there.'
      : 'Another address or port is needed.';
    return { level: isTaken ? 'warning' : 'bad', what: `${address} cannot be had (${code})`, advice };
  }
}

function listenOnce(host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(port, host, () => server.close(() => resolve()));
  });
}
