/** What text from outside may hold: it ends on other people's screens and in logs. */

const utf8 = new TextEncoder();
/**
 * C0 and C1 controls, the separators of lines and paragraphs, what turns the direction (Unicode UAX #9, also what is deprecated), and
 * what marks annotations.
 */
const forbidden = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}\u206a-\u206f\ufff9-\ufffb]/u;
const eachForbidden = new RegExp(forbidden.source, 'gu');
const loneSurrogate = /\p{Surrogate}/u;

const MAX_NAME_BYTES = 256;

/** Whether a user, an org or a note may be this: up to 256 bytes, and no U+FFFD, which makes one name of two. */
export function isPlainText(text: string): boolean {
  return textFault(text, MAX_NAME_BYTES) === null && !text.includes('\ufffd');
}

/** Blanks, and what nobody sees, at either end: copied from somewhere, and meant by nobody. Control characters stay, and are refused. */
const edges =
  /^[\p{Zs}\u200b-\u200d\u2060\ufeff\u00ad\u180e]+|[\p{Zs}\u200b-\u200d\u2060\ufeff\u00ad\u180e]+$/gu;
/** What nobody sees within a name either: two names would look like one. */
const invisible = /\p{Cf}|\u034f|[\u115f\u1160\u3164\uffa0]|\u17b4|\u17b5/u;
/** Names that paths and commands understand as something else. */
const nobodys: ReadonlySet<string> = new Set(['.', '..', '*']);

/**
 * The name of a user or an org as it is kept and compared: composed (Unicode NFC), without blanks and invisible characters at
 * its ends. `nameFault` says whether it can be one.
 */
export function nameOf(text: string): string {
  // What is far too long for a name stays so, and costs nothing.
  return text.length > 4 * MAX_NAME_BYTES ? text : text.normalize('NFC').replaceAll(edges, '');
}

/** The name without case: what an org compares that ignores case. The text is one that `nameOf` gave. */
export function caseFolded(name: string): string {
  // Some letters are composed in small only.
  return name.toLowerCase().normalize('NFC');
}

/** The name without what people do not tell apart: case, and forms of letters that look alike (Unicode NFKC). Only to compare. */
export function foldedName(name: string): string {
  return name.normalize('NFKC').toLowerCase();
}

/** Why no user can be called this, in words that go on from "it"; null where one can. The text is one that `nameOf` gave. */
export function nameFault(name: string): string | null {
  const fault = textFault(name, MAX_NAME_BYTES);
  if (fault !== null) return fault;
  if (name.includes('\ufffd')) return 'holds U+FFFD, which stands for what could not be read';
  const [hidden] = invisible.exec(name) ?? [];
  if (hidden !== undefined) return `holds an invisible character (${codePoint(hidden)})`;
  return nobodys.has(name) ? `is ${name}, which is nobody’s name` : null;
}

/** Why no org can be called this; null where one can. Its name stands in a Redis hash tag, `{org}`, which a brace would end early. */
export function orgNameFault(name: string): string | null {
  return nameFault(name) ?? (/[{}]/.test(name) ? 'holds a brace' : null);
}

/** Whether an org may be called this. */
export function isOrgName(name: string): boolean {
  return orgNameFault(name) === null;
}

function codePoint(character: string): string {
  return `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;
}

/** Why `text` cannot stand as a name or an id, or null when it can. */
export function textFault(text: string, maxBytes: number): string | null {
  if (text.length === 0) return 'is empty';
  if (isLonger(text, maxBytes)) return `is longer than ${maxBytes} bytes`;
  if (forbidden.test(text)) return 'holds control or direction characters';
  if (loneSurrogate.test(text)) return 'holds half a surrogate pair';
  return null;
}

/** The text as it may go to a terminal: with U+FFFD for what no name may hold. */
export function withoutForbidden(text: string): string {
  return text.replaceAll(eachForbidden, '\ufffd');
}

/** Whether `text` takes more bytes than this in UTF-8. */
export function isLonger(text: string, maxBytes: number): boolean {
  if (text.length > maxBytes) return true;
  // UTF-8 takes at most three bytes for a unit of UTF-16, so that short text need not be encoded.
  return text.length * 3 > maxBytes && utf8.encode(text).length > maxBytes;
}
