import { describe, expect, it } from 'vitest';
import { nearestNames } from '../../../src/cli/desk/new-org.js';

const orgs = ['acme', 'acme-eu', 'globex', 'Initech', 'umbrella'];

describe('the nearest names of a mistyped org', () => {
  it.each([
    ['amce', ['acme']],
    ['acm', ['acme', 'acme-eu']],
    ['Acme', ['acme', 'acme-eu']],
    ['globx', ['globex']],
    ['initech', ['Initech']],
    ['umbrela', ['umbrella']],
    ['hooli', []],
  ])('of %s are %j', (name, expected) => {
    expect(nearestNames(name, orgs)).toEqual(expected);
  });

  it('are three at most, the most likely first', () => {
    expect(nearestNames('a1', ['a4', 'a3', 'a2', 'a0', 'b1'])).toHaveLength(3);
    expect(nearestNames('acme1', ['acme22', 'acme2', 'acme'])).toEqual(['acme', 'acme2', 'acme22']);
  });
});
