import { Validator } from '@seriousme/openapi-schema-validator';
import { describe, expect, it } from 'vitest';
import { allRoutes, document } from '../../src/admin/routes/index.js';

interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly description: string;
  readonly tags: readonly string[];
  readonly parameters: readonly { readonly name: string; readonly in: string }[];
  readonly responses: Readonly<Record<string, unknown>>;
}
const paths = (document as { paths: Record<string, Record<string, Operation>> }).paths;
const operations = Object.entries(paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
);

describe('the OpenAPI document', () => {
  it('is OpenAPI 3.1 by the schema of that standard', async () => {
    const validator = new Validator();
    const verdict = await validator.validate(JSON.parse(JSON.stringify(document)));
    expect(verdict.errors ?? []).toEqual([]);
    expect(validator.version).toBe('3.1');
  });

  it('has an operation for every route, and no other', () => {
    const named = operations.map(({ path, method }) => `${method.toUpperCase()} ${path}`).sort();
    expect(named).toEqual(allRoutes.map(({ path, method }) => `${method} ${path}`).sort());
  });

  it('gives every operation a name of its own, a summary, a tag, and its refusals', () => {
    const ids = operations.map(({ operation }) => operation.operationId);
    expect(new Set(ids).size).toBe(ids.length);
    for (const { operation } of operations) {
      expect(operation.operationId).toMatch(/^[a-z][A-Za-z]+$/);
      expect(operation.summary).toMatch(/^[A-Z].*\.$/);
      expect(operation.tags).toHaveLength(1);
      expect(Object.keys(operation.responses)).toContain('422');
    }
  });

  it('names every parameter of a path, and no other', () => {
    for (const { path, operation } of operations) {
      const inPath = operation.parameters.filter((one) => one.in === 'path').map(({ name }) => name);
      expect(inPath).toEqual([...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name));
    }
  });

  it('refers to nothing that it does not hold', () => {
    const text = JSON.stringify(document);
    const schemas = (document as { components: { schemas: object } }).components.schemas;
    const names = [...text.matchAll(/"#\/components\/schemas\/(\w+)"/g)].map(([, name = '']) => name);
    expect(names.length).toBeGreaterThan(10);
    expect(names.filter((name) => !Object.hasOwn(schemas, name))).toEqual([]);
  });
});
