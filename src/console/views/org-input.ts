import { Refusal } from '../api/client.js';

/** The quota that a person typed. Throws a sentence for the dialog: a number that JSON cannot hold would take the quota away. */
export function quotaIn(text: string): number {
  if (!/^\d{1,9}$/.test(text.trim())) throw new Error('The quota must be a whole number.');
  return Number(text);
}

/** Throws the first fault of a field in words, or the refusal itself. */
export function explain(error: Error): never {
  const [fault] = (error instanceof Refusal && error.facts.fields) || [];
  throw fault === undefined ? error : new Error(`${fault.field} ${fault.problem}`);
}
