/** Words that name a token, also with something before them, as in `accesstoken`. */
const tokenWord = /(?:tokens?|jwt|auth|authorization|bearer)$/;
/** Between the words of a name like `accessToken` or `access_token`. */
const betweenWords = /(?<=[a-z])(?=[A-Z])|[^a-zA-Z]+/;
/** What may be the header of a token (RFC 7515 section 7.1), where a dot is behind it. */
const encoded = /[\w-]+/g;
/** How a JSON object begins. A version like 1.2.3 is none. */
const beginsObject = /^\s*\{\s*["}]/;
/** Characters that tell whether it begins so, with some white space. */
const BEGINNING_CHARACTERS = 64;

/** Whether a token stands in the query of a request's target, by its name or by what it looks like. */
export function hasTokenInUrl(target: string): boolean {
  const begin = target.indexOf('?');
  if (begin < 0) return false;
  return [...new URLSearchParams(target.slice(begin + 1))].some(
    ([name, value]) => isTokenName(name) || looksLikeToken(name) || looksLikeToken(value),
  );
}

function isTokenName(name: string): boolean {
  return name.split(betweenWords).some((word) => tokenWord.test(word.toLowerCase()));
}

/** Takes a time that grows with the length alone: whoever asks chooses the text. */
function looksLikeToken(text: string): boolean {
  for (const { 0: head, index } of text.matchAll(encoded)) {
    if (text[index + head.length] !== '.') continue;
    const beginning = Buffer.from(head.slice(0, BEGINNING_CHARACTERS), 'base64url').toString('latin1');
    if (beginsObject.test(beginning)) return true;
  }
  return false;
}
