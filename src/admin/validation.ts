import type { FastifySchemaCompiler } from 'fastify';
import type { TObject } from 'typebox';
import { Compile } from 'typebox/compile';
import { type Fault, invalid } from './problem.js';

const wholeNumber = /^-?\d{1,15}$/;

/** Makes Fastify check by TypeBox. A fault is a 422 that names the field. */
export const validatorCompiler: FastifySchemaCompiler<TObject> = ({ schema, httpPart }) => {
  const check = Compile(schema);
  return (given: unknown) => {
    // A body may be left out where it has no field that is needed.
    const value = httpPart === 'querystring' ? readQuery(schema, given) : (given ?? {});
    if (check.Check(value)) return { value };
    return { error: invalid(faultsOf(check.Errors(value))) };
  };
};

/** A query is text: what should be a number or a flag becomes one if it is written like one. */
function readQuery(schema: TObject, query: unknown): Record<string, unknown> {
  const entries = Object.entries(query as Record<string, unknown>);
  return Object.fromEntries(
    entries.map(([name, value]) => {
      const { type } = (schema.properties[name] ?? {}) as { type?: string };
      if (type === 'integer' && typeof value === 'string' && wholeNumber.test(value))
        return [name, Number(value)];
      if (type === 'boolean' && (value === 'true' || value === 'false')) return [name, value === 'true'];
      return [name, value];
    }),
  );
}

interface SchemaError {
  readonly keyword: string;
  readonly instancePath: string;
  readonly params: object;
  readonly message: string;
}

function faultsOf(errors: readonly SchemaError[]): Fault[] {
  // The first fault of a field tells enough; what TypeBox adds for an unknown field is told by its own keyword.
  const byField = new Map<string, string>();
  for (const { keyword, instancePath, params, message } of errors) {
    if (keyword === 'boolean') continue;
    const named = params as { requiredProperties?: string[]; additionalProperties?: string[] };
    const children = named.requiredProperties ?? named.additionalProperties ?? [''];
    for (const child of children) {
      const field = [...instancePath.split('/').slice(1), child].filter((part) => part !== '').join('.');
      if (!byField.has(field)) byField.set(field, problemFor(keyword, message));
    }
  }
  return [...byField].map(([field, problem]) => ({ field: field.slice(0, 128), problem }));
}

function problemFor(keyword: string, message: string): string {
  if (keyword === 'required') return 'is missing';
  if (keyword === 'additionalProperties') return 'is unknown';
  return message;
}
