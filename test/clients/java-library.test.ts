import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { machineId } from '../../packages/client/src/machine-id.js';
import { closeCodes } from '../../packages/client/src/protocol/close-codes.js';
import { BUILD_PATIENCE_MS, buildJava, type JavaBuild } from '../support/java-library.js';

const run = promisify(execFile);
const folder = fileURLToPath(new URL('../../clients/java/', import.meta.url));
const textOf = (...path: string[]) => readFileSync(join(folder, ...path), 'utf8');
const sources = readdirSync(join(folder, 'src/main/java'), { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.java'))
  .map((name) => join('src/main/java', name));
const MAX_LINES = 300;

let build: JavaBuild;
beforeAll(async () => {
  build = await buildJava();
}, BUILD_PATIENCE_MS);

describe('the Java library', () => {
  it('passes its unit tests', async () => {
    const vectors = join(folder, '..', 'machine-id-vectors.json');
    const { stdout } = await run(build.java, [
      `-Dsoleseat.vectors=${vectors}`,
      ...['-cp', [build.jar, build.testClasses].join(delimiter), 'io.soleseat.client.UnitTests'],
    ]);
    const lines = stdout.trim().split('\n');
    expect(lines.filter((line) => !line.startsWith('ok '))).toEqual([]);
    expect(lines.length).toBeGreaterThan(45);
    // A class of tests that nobody runs passes for ever.
    const classes = readdirSync(join(folder, 'test/io/soleseat/client')).filter((name) =>
      /Test\.java$/.test(name),
    );
    const hasRun = new Set(lines.map((line) => `${line.slice('ok '.length).split('.')[0]}.java`));
    expect(classes.filter((name) => !hasRun.has(name))).toEqual([]);
  });

  it('documents all that is public', async () => {
    const out = mkdtempSync(join(tmpdir(), 'soleseat-javadoc-'));
    try {
      const files = sources.map((name) => join(folder, name));
      await run(build.javadoc, [
        '-J-XX:TieredStopAtLevel=1',
        '-quiet',
        '-Xdoclint:all',
        '-Werror',
        '-d',
        out,
        ...files,
      ]);
    } finally {
      rmSync(out, { recursive: true, force: true });
    }
  });

  it('is a module that needs only the JDK, and exports one package', async () => {
    const { stdout } = await run(build.jarTool, ['--describe-module', '--file', build.jar]);
    const lines = stdout.split('\n').map((line) => line.trim());
    expect(lines.filter((line) => /^(exports|requires|contains|opens|qualified)/.test(line)).sort()).toEqual([
      'exports io.soleseat.client',
      'requires java.base mandated',
      'requires java.net.http transitive',
    ]);
  });

  it('says the same version and name in its manifest, its pom and the package', () => {
    const { version } = JSON.parse(readFileSync(join(folder, '../../package.json'), 'utf8')) as {
      version: string;
    };
    expect(textOf('manifest.mf')).toContain(`Bundle-Version: ${version}\n`);
    expect(textOf('manifest.mf')).toContain(`Export-Package: io.soleseat.client;version="${version}"\n`);
    expect(/<version>(.*?)<\/version>/.exec(textOf('pom.xml'))?.[1]).toBe(version);
    expect(textOf('README.md')).toContain(`<version>${version}</version>`);
  });

  it('imports in its manifest what an OSGi framework gives to nobody by itself', () => {
    const imports = sources.flatMap((name) => [
      ...textOf(name).matchAll(/^import (javax[\w.]*)\.[A-Z]\w*;/gm),
    ]);
    const packages = [...new Set(imports.map((match) => match[1]))].sort();
    expect(/^Import-Package: (.*)$/m.exec(textOf('manifest.mf'))?.[1]?.split(',')).toEqual(packages);
  });

  it('gives this computer the same id as the TypeScript library, or none', async () => {
    const classPath = [build.jar, build.testClasses].join(delimiter);
    const { stdout } = await run(build.java, ['-cp', classPath, 'PrintMachine', 'drawing']);
    // A container often has no id of its own.
    const id = await machineId({ application: 'drawing' }).then(
      (machine) => machine.id,
      () => 'none',
    );
    expect(stdout.trim()).toBe(id);
  });

  it('compiles what its README shows', async () => {
    const blocks = [...textOf('README.md').matchAll(/```java\n(.*?)```/gs)].map(([, code = '']) => code);
    const [program = '', ...parts] = blocks;
    // SWT is not there. What is not a statement yet becomes one.
    const bodies = parts.map((part, index) => {
      const lines = part.split('\n').filter((line) => !/display|SWT/.test(line));
      const statements = lines.join('\n').replace(/^(builder\.\w+\(.*\))$/gm, '$1;');
      return `void block${index}(SeatClientBuilder builder, SeatClient seat, Authenticator myAuthenticator, JFrame frame)
        throws Exception {\n${statements}\n}`;
    });
    const imports = [
      'java.io',
      'java.net',
      'java.net.http',
      'java.nio.file',
      'java.security',
      'java.security.cert',
    ]
      .concat(['javax.net.ssl', 'io.soleseat.client'])
      .map((name) => `import ${name}.*;`)
      .concat(
        'import java.security.KeyStore;',
        'import javax.swing.JFrame;',
        'import javax.swing.SwingUtilities;',
      );
    const work = mkdtempSync(join(tmpdir(), 'soleseat-readme-'));
    try {
      writeFileSync(join(work, 'Drawing.java'), program);
      const rest = `${imports.join('\n')}\nclass Parts { void render() {}\n${bodies.join('\n')}\n}`;
      writeFileSync(join(work, 'Parts.java'), rest);
      const files = ['Drawing.java', 'Parts.java'].map((name) => join(work, name));
      await run(build.javac, [
        '-J-XX:TieredStopAtLevel=1',
        '--release',
        '17',
        '-cp',
        build.jar,
        '-d',
        work,
        ...files,
      ]);
    } finally {
      rmSync(work, { recursive: true, force: true });
    }
    expect(blocks.length).toBeGreaterThan(5);
  });

  it('carries its license', async () => {
    const { stdout } = await run(build.jarTool, ['--list', '--file', build.jar]);
    expect(stdout.split('\n')).toEqual(expect.arrayContaining(['META-INF/LICENSE', 'META-INF/NOTICE']));
    expect(textOf('LICENSE')).toContain('Apache License');
  });

  it('has the close codes of the broker', () => {
    const rows = textOf('src/main/java/io/soleseat/client/CloseCodes.java').matchAll(
      /new Row\((\d+), "(\w+)", "([^"]+)"\)/g,
    );
    const table = [...rows].map(([, code, reason, meaning]) => ({ code: Number(code), reason, meaning }));
    expect(table).toEqual(closeCodes);
  });

  it(`has no file of more than ${MAX_LINES} lines`, () => {
    expect(sources.filter((name) => textOf(name).trimEnd().split('\n').length > MAX_LINES)).toEqual([]);
  });
});
