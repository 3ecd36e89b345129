import { withoutForbidden } from '../../protocol/text.js';

/** Control and direction characters of foreign names must not reach the terminal. */
export function clean(text: string): string {
  return withoutForbidden(text);
}
