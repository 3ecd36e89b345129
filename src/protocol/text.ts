/** What text from outside may hold: it ends on other people's screens and in logs. */

const utf8 = new TextEncoder();
/** C0 and C1 controls, and the bidirectional overrides and isolates of Unicode UAX #9. */
const forbidden = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/u;
const loneSurrogate = /\p{Surrogate}/u;

const MAX_NAME_BYTES = 256;

/** Whether a user, an org or a note may be this: up to 256 bytes, and no U+FFFD, which makes one name of two. */
export function isPlainText(text: string): boolean {
  return textFault(text, MAX_NAME_BYTES) === null && !text.includes('\ufffd');
}

/** Whether an org may be called this: a name that can stand in a Redis hash tag, `{org}`, which a brace would end early. */
export function isOrgName(text: string): boolean {
  return isPlainText(text) && !/[{}]/.test(text);
}

/** Why `text` cannot stand as a name or an id, or null when it can. */
export function textFault(text: string, maxBytes: number): string | null {
  if (text.length === 0) return 'is empty';
  if (isLonger(text, maxBytes)) return `is longer than ${maxBytes} bytes`;
  if (forbidden.test(text)) return 'holds control or direction characters';
  if (loneSurrogate.test(text)) return 'holds half a surrogate pair';
  return null;
}

/** Whether `text` takes more bytes than this in UTF-8. */
export function isLonger(text: string, maxBytes: number): boolean {
  if (text.length > maxBytes) return true;
  // UTF-8 takes at most three bytes for a unit of UTF-16, so that short text need not be encoded.
  return text.length * 3 > maxBytes && utf8.encode(text).length > maxBytes;
}
