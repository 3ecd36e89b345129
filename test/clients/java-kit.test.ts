import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { checks } from '../../src/kit/checks/table.js';
import type { Command } from '../../src/kit/program.js';
import { checksHere, judge } from '../kit/judge.js';
import { BUILD_PATIENCE_MS, buildJava, type JavaBuild } from '../support/java-library.js';
import { findings } from './kit-findings.js';

const run = promisify(execFile);
/** The kit starts about a hundred JVMs, so nearly all of its time is that of their start. */
const QUICK_START = [
  '-XX:TieredStopAtLevel=1',
  '-XX:+UseSerialGC',
  '-Xshare:auto',
  '-Xmx64m',
  // No check uses TLS, and the certificates of the JDK take long to read.
  '-Djavax.net.ssl.trustStore=NONE',
];
const WRITE_ARCHIVE_MS = 120_000;

const work = mkdtempSync(join(tmpdir(), 'soleseat-java-kit-'));
let program: Command;
beforeAll(async () => {
  program = await archived(await buildJava());
}, BUILD_PATIENCE_MS);
afterAll(() => rmSync(work, { recursive: true, force: true }));

it('the Java library passes the kit', async () => {
  expect(findings(await judge(program, { chosen: checksHere, jobs: 12, again: true }))).toEqual([]);
});

/** The program of the kit, with an archive of its classes that a first run leaves: a JVM then starts in half the time. */
async function archived({ java, jarTool, jar, testClasses }: JavaBuild): Promise<Command> {
  // An archive takes classes from jars only.
  const kitJar = join(work, 'kit.jar');
  await run(jarTool, ['--create', '--file', kitJar, '-C', testClasses, 'KitClient.class']);
  const archive = join(work, 'kit.jsa');
  const programWith = (flag: string): Command => ({
    file: java,
    args: [...QUICK_START, flag, '-cp', [jar, kitJar].join(delimiter), 'KitClient'],
  });
  // In this check the program ends by itself, which is when a JVM writes the archive.
  const chosen = checks.filter(({ id }) => id === 'release');
  const writing = programWith(`-XX:ArchiveClassesAtExit=${archive}`);
  expect(findings(await judge(writing, { chosen, patienceMs: WRITE_ARCHIVE_MS }))).toEqual([]);
  expect(existsSync(archive)).toBe(true);
  return programWith(`-XX:SharedArchiveFile=${archive}`);
}
