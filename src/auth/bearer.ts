const scheme = /^bearer(?=[ \t]|$)/i;

/**
 * The token among the `Authorization` headers of a request. Null without one: another scheme is somebody else's, say a
 * proxy's, and is ignored. Of several Bearer headers the first counts.
 */
export function bearerToken(headers: readonly string[] | undefined): string | null {
  const header = headers?.find((one) => scheme.test(one));
  if (header === undefined) return null;
  const token = header.slice('bearer'.length).trim();
  // A Bearer header without a proper token counts as an empty one: refused like any other that is not accepted.
  return /\s/.test(token) ? '' : token;
}
