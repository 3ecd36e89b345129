/** `npm run test:all` sets it; `npm test` runs one case of each kind. */
export const isAll = process.env.TESTS === 'all';

/** All cases, or, in `npm test`, those that stand for their kind. */
export function casesOf<T>(all: readonly T[], standsForItsKind: (one: T) => boolean): readonly T[] {
  return isAll ? all : all.filter(standsForItsKind);
}
