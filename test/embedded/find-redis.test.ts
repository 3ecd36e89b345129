import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { parseDepends } from '../../src/embedded/debian-packages.js';
import { findRedis } from '../../src/embedded/find-redis.js';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'soleseat-find-'));
  vi.stubEnv('SOLESEAT_REDIS_SERVER', '');
});

afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

function pretendRedis(directory: string, version: string): string {
  mkdirSync(join(folder, directory), { recursive: true });
  const path = join(folder, directory, 'redis-server');
  writeFileSync(path, `#!/bin/sh\necho "Redis server v=${version} sha=0"\n`, { mode: 0o755 });
  return path;
}

describe('the search for a redis-server', () => {
  it('takes the one that SOLESEAT_REDIS_SERVER names before the one on the PATH', async () => {
    pretendRedis('path', '7.0.1');
    const chosen = pretendRedis('chosen', '7.2.0');
    vi.stubEnv('PATH', join(folder, 'path'));
    vi.stubEnv('SOLESEAT_REDIS_SERVER', chosen);
    expect(await findRedis({ cacheDir: folder })).toBe(chosen);
  });

  it('says what to do where SOLESEAT_REDIS_SERVER names no Redis', async () => {
    vi.stubEnv('SOLESEAT_REDIS_SERVER', join(folder, 'nothing'));
    await expect(findRedis({ cacheDir: folder })).rejects.toThrow(
      /SOLESEAT_REDIS_SERVER.*Install redis-server/s,
    );
  });

  it('passes over one that is too old, and takes the copy that was made before', async () => {
    pretendRedis('path', '5.0.14');
    const copy = pretendRedis('unpacked', '7.0.15');
    writeFileSync(join(folder, 'found.json'), JSON.stringify({ path: copy }));
    vi.stubEnv('PATH', join(folder, 'path'));
    const lines: string[] = [];
    const found = await findRedis({ cacheDir: folder, onProgress: (line) => lines.push(line) });
    expect(found).toBe(copy);
    expect(lines.join()).toMatch(/older than 6\.2/);
  });

  it('finds none where there is none', async () => {
    vi.stubEnv('PATH', folder);
    expect(await findRedis({ cacheDir: folder })).toBeUndefined();
  });
});

describe('what a Debian package needs', () => {
  it('counts the first of alternatives and no virtual packages', () => {
    const output = [
      'redis-tools',
      ' |Depends: libsystemd0',
      '  Depends: libelogind0',
      '  Depends: <perl:any>',
      '    perl',
      '  PreDepends: libssl3',
      'libssl3',
      '  Depends: libc6',
    ].join('\n');
    expect([...parseDepends(output)]).toEqual([
      ['redis-tools', ['libsystemd0', 'libssl3']],
      ['libssl3', ['libc6']],
    ]);
  });
});
