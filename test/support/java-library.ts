import { delimiter } from 'node:path';
import { ClientProcess } from './client-process.js';
import { toolRecord } from './tools.js';

export interface JavaBuild {
  readonly java: string;
  readonly jarTool: string;
  readonly javac: string;
  readonly javadoc: string;
  readonly jar: string;
  /** The unit tests, the programs of the tests, and that of the kit. */
  readonly testClasses: string;
}

/** Three runs of a compiler, on a machine that does much else: for `beforeAll`. */
export const BUILD_PATIENCE_MS = 900_000;

/**
 * Builds the Java library, where that is not done yet. `npm run test:matrix` runs what was built with another Java than the one
 * that compiled it.
 */
export async function buildJava(): Promise<JavaBuild> {
  const script = new URL('../../scripts/java-client.mjs', import.meta.url);
  const { buildJavaClient } = (await import(script.href)) as { buildJavaClient(): Promise<JavaBuild> };
  return { ...(await buildJavaClient()), java: toolRecord<{ readonly path: string }>('java').path };
}

export interface JavaProgram {
  readonly url: string;
  readonly tokenUrl: string;
  readonly machine: string;
  /** A class of clients/java/test or clients/java/kit. */
  readonly main?: string;
  readonly more?: Readonly<Record<string, string>>;
}

/** Starts a program that uses the Java library. */
export function startJavaProgram(
  { java, jar, testClasses }: JavaBuild,
  { url, tokenUrl, machine, main = 'TestClient', more = {} }: JavaProgram,
): ClientProcess {
  const classPath = [jar, testClasses].join(delimiter);
  // A small heap and one compiler: the machine is shared.
  const args = ['-Xmx64m', '-XX:TieredStopAtLevel=1', '-cp', classPath, main];
  return ClientProcess.start(java, args, {
    SEAT_URL: url,
    SEAT_TOKEN_URL: tokenUrl,
    SEAT_MACHINE_ID: machine,
    SEAT_MACHINE_NAME: machine,
    ...more,
  });
}
