import { Refusal } from '../api/client.js';

/** The number that a person typed. Throws a sentence for the dialog: one that JSON cannot hold would take the setting away. */
export function wholeIn(text: string, what: string): number {
  if (!/^\d{1,9}$/.test(text.trim())) throw new Error(`The ${what} must be a whole number.`);
  return Number(text);
}

export const quotaIn = (text: string) => wholeIn(text, 'quota');

/** Throws the first fault of a field in words, or the refusal itself. */
export function explain(error: Error): never {
  const [fault] = (error instanceof Refusal && error.facts.fields) || [];
  throw fault === undefined ? error : new Error(`${fault.field} ${fault.problem}`);
}
