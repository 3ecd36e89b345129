import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';

const folder = resolve(import.meta.dirname, '../../dist/console');
const MAX_BYTES = 100_000;

const files = readdirSync(folder, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => join(entry.parentPath, entry.name));

describe('the bundle of the console', () => {
  it.each([
    ['gzip', gzipSync],
    ['brotli', brotliCompressSync],
  ])(`takes less than ${MAX_BYTES / 1000} KB compressed with %s`, (_, compress) => {
    const sizes = files.map((file) => compress(readFileSync(file)).byteLength);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(MAX_BYTES);
    expect(files.length).toBeGreaterThan(3);
  });

  it('names no host but those of namespaces, which nobody fetches', () => {
    const hosts = files.flatMap((file) => readFileSync(file, 'utf8').match(/https?:\/\/[\w.-]+/g) ?? []);
    expect([...new Set(hosts)].filter((host) => host !== 'http://www.w3.org')).toEqual([]);
  });

  it('has nothing inline that its Content-Security-Policy would forbid', () => {
    const page = readFileSync(join(folder, 'index.html'), 'utf8');
    expect(page).not.toMatch(/<style|style=|<script(?![^>]*\bsrc=)|\son\w+=/);
  });
});
