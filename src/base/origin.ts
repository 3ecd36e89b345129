/** A scheme and a host, as browsers and the shells of desktop programs name where a page is from. */
const form = /^[a-z][a-z0-9+.-]*:\/\/[^/?#\s@*]+\/?$/i;

/**
 * An origin as browsers send it (RFC 6454 section 6.2): in lower case, without the port that its scheme has anyway. Throws an
 * Error that says what is wrong with one that can match nothing.
 */
export function readOrigin(text: string): string {
  if (text === 'null') return text;
  if (!form.test(text))
    throw new Error(
      'must list origins like https://app.example.com: a scheme and a host, without a path or a *',
    );
  const { origin } = new URL(text);
  // Other schemes than those of the web have no origin of their own there.
  return origin === 'null' ? text.toLowerCase().replace(/\/$/, '') : origin;
}

/** Whether what a browser sent is this origin. */
export function isOriginAmong(origins: readonly string[], sent: string): boolean {
  return origins.includes(sent) || origins.includes(sent.toLowerCase());
}
