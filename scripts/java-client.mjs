import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { prepareJava } from './java.mjs';
import { createSteps, fail, root, run } from './steps.mjs';
import { recorded } from './tools.mjs';

const folder = join(root, 'clients', 'java');
const target = join(folder, 'target');
const built = join(target, 'built.json');
/** A tool that runs for seconds does not gain by the JVM's second compiler. */
const LIGHT = '-J-XX:TieredStopAtLevel=1';

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  buildJavaClient({ onProgress: (line) => process.stderr.write(`${line}\n`) })
    .then(({ jar }) => process.stdout.write(`${jar}\n`))
    .catch(fail);
}

/**
 * Builds the Java library as a jar, and beside it a folder of classes: its tests and the program of the kit. Does nothing where
 * that is done already. Gives the paths of both, and of the JDK's programs.
 */
export async function buildJavaClient({ onProgress = () => {} } = {}) {
  const jdk = await findJdk();
  const sources = sourceFiles();
  const hash = hashOf(sources);
  const result = {
    ...jdk,
    jar: join(target, 'soleseat-client.jar'),
    testClasses: join(target, 'test-classes'),
  };
  if (hashBefore() === hash && existsSync(result.jar)) return result;
  onProgress('building the Java client …');
  mkdirSync(target, { recursive: true });
  const work = mkdtempSync(join(target, 'building-'));
  try {
    await compileAll(jdk, work);
    // Another process did the same meanwhile, and programs run from what it built.
    if (hashBefore() === hash) return result;
    rmSync(built, { force: true });
    for (const [name, path] of [
      ['soleseat-client.jar', result.jar],
      ['test-classes', result.testClasses],
    ]) {
      rmSync(path, { recursive: true, force: true });
      renameSync(join(work, name), path);
    }
    writeFileSync(built, `${JSON.stringify({ hash })}\n`);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return result;
}

async function compileAll({ javac, jarTool }, work) {
  const classes = join(work, 'classes');
  await compile(javac, classes, [], javaFiles('src', 'main', 'java'));
  // META-INF is where a jar has its license.
  const licenses = join(work, 'licenses', 'META-INF');
  mkdirSync(licenses, { recursive: true });
  for (const name of ['LICENSE', 'NOTICE'])
    writeFileSync(join(licenses, name), readFileSync(join(folder, name)));
  await run(jarTool, [
    ...[LIGHT, '--create', '--file', join(work, 'soleseat-client.jar')],
    ...['--manifest', join(folder, 'manifest.mf')],
    // The same sources give the same jar, byte by byte.
    '--date=2026-01-01T00:00:00+00:00',
    ...['-C', classes, '.', '-C', dirname(licenses), 'META-INF'],
  ]);
  await compile(javac, join(work, 'test-classes'), [classes], [...javaFiles('kit'), ...javaFiles('test')]);
}

function compile(javac, into, classPath, files) {
  const path =
    classPath.length === 0 ? [] : ['-cp', classPath.join(process.platform === 'win32' ? ';' : ':')];
  return run(javac, [
    LIGHT,
    '--release',
    '17',
    '-encoding',
    'UTF-8',
    '-Xlint:all',
    '-Werror',
    ...path,
    '-d',
    into,
    ...files,
  ]);
}

/** The JDK of the `java` that the set-up of the tests has found. */
async function findJdk() {
  if (!recorded('java')) await prepareJava(createSteps({ quiet: true }));
  const { path: java } = recorded('java');
  // A `java` of the PATH does not tell its folder, and next to a link to it there may be no compiler.
  const settings = await run(java, ['-XshowSettings:properties', '-version']);
  const home = /java\.home = (.+)/.exec(settings)?.[1]?.trim();
  if (!home) throw new Error(`${java} does not say where its JDK is`);
  const program = (name) => join(home, 'bin', name);
  return { java, javac: program('javac'), jarTool: program('jar'), javadoc: program('javadoc') };
}

/** Where the sources of a part are. */
export function javaFiles(...part) {
  const start = join(folder, ...part);
  return readdirSync(start, { recursive: true })
    .filter((name) => name.endsWith('.java'))
    .sort()
    .map((name) => join(start, name));
}

function sourceFiles() {
  const rest = ['manifest.mf', 'LICENSE', 'NOTICE'].map((name) => join(folder, name));
  return [...javaFiles('src', 'main', 'java'), ...javaFiles('kit'), ...javaFiles('test'), ...rest];
}

function hashOf(files) {
  const hash = createHash('sha256');
  for (const file of [...files, fileURLToPath(import.meta.url)]) hash.update(file).update(readFileSync(file));
  return hash.digest('hex');
}

function hashBefore() {
  try {
    return JSON.parse(readFileSync(built, 'utf8')).hash;
  } catch {
    return undefined;
  }
}
