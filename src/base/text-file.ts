import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';

/** The text of bytes as editors on any system save it: UTF-8 or UTF-16, with a byte order mark or, for UTF-8, without. */
export function decodeText(bytes: Uint8Array): string {
  const [first, second] = bytes;
  const encoding =
    first === 0xff && second === 0xfe ? 'utf-16le' : first === 0xfe && second === 0xff ? 'utf-16be' : 'utf-8';
  // The decoder takes the mark off.
  return new TextDecoder(encoding).decode(bytes);
}

/** Rejects as `readFile` of Node does. */
export async function readText(file: string): Promise<string> {
  return decodeText(await readFile(file));
}

/** Throws as `readFileSync` of Node does. */
export function readTextSync(file: string): string {
  return decodeText(readFileSync(file));
}
