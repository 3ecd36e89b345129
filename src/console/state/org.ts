import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import { orgPath } from '../api/client.js';
import type { Org } from '../api/types.js';
import { type Answer, useAnswer } from './answer.js';

/** What no second needs: settings, peaks, reasons, users. */
const EVERY_MS = 10_000;

const nothing: Answer<Org> = { value: undefined, error: null, refresh: () => {} };

/** The org whose pages are open: asked once for all of them. */
export const OrgContext = createContext<Answer<Org>>(nothing);

export function useOrgAnswer(org: string): Answer<Org> {
  return useAnswer<Org>(orgPath(org), { everyMs: EVERY_MS });
}

export function useOrg(): Answer<Org> {
  return useContext(OrgContext);
}

/** The time zone that a day is of; undefined: not known yet. */
export function useTimeZone(): string | undefined {
  const { value } = useOrg();
  return value && (value.settings.timeZone ?? 'UTC');
}
