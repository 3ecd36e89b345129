import type { TSchema } from 'typebox';
import { isOrder } from './late-orders.js';
import { PROBLEM_TYPE } from './problem.js';
import type { Route } from './route.js';
import { licenseSchema, problemSchema, text } from './schemas.js';
import { costs } from './shares.js';

type Json = Readonly<Record<string, unknown>>;

/** Schemas that have a name of their own in the document. */
const components = { License: licenseSchema, Problem: problemSchema };

/** The OpenAPI 3.1 document, from the table of routes. */
export function openApiOf(routes: readonly Route[]): Json {
  const paths: Record<string, Record<string, Json>> = {};
  for (const route of routes) {
    paths[route.path] = { ...paths[route.path], [route.method.toLowerCase()]: operationOf(route) };
  }
  const tags = [...new Set(routes.map(({ tag }) => tag))].map((name) => ({ name }));
  return {
    openapi: '3.1.0',
    info: {
      title: 'Soleseat admin API',
      version: '1.0.0',
      description: 'Licenses, sessions and the audit trail. Errors are problem+json (RFC 9457).',
    },
    servers: [{ url: '/' }],
    tags,
    security: [{ token: [] }, { cookie: [] }],
    paths,
    components: {
      securitySchemes: {
        token: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' },
        cookie: { type: 'apiKey', in: 'cookie', name: 'soleseat_admin' },
      },
      schemas: Object.fromEntries(
        Object.entries(components).map(([name, schema]) => [name, withReferences(schema, schema)]),
      ),
    },
  };
}

function operationOf(route: Route): Json {
  const role = route.role === null ? 'Needs no token.' : `Role: ${route.role}, or a higher one.`;
  const body = bodyOf(route);
  return {
    operationId: route.id,
    tags: [route.tag],
    summary: route.summary,
    description: route.allOrgs ? `${role} The token must be for all orgs.` : role,
    ...(route.role === null && { security: [] }),
    parameters: parametersOf(route),
    ...(body !== null && { requestBody: body }),
    responses: responsesOf(route),
  };
}

function parametersOf(route: Route): Json[] {
  const inPath = [...route.path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => ({
    name,
    in: 'path',
    required: true,
    schema: text(name === 'org' ? 'The org.' : name === 'user' ? 'The user.' : 'The machine’s id.'),
  }));
  const inQuery = Object.entries(route.query.properties).map(([name, schema]) => ({
    name,
    in: 'query',
    required: (route.query.required as readonly string[] | undefined)?.includes(name) ?? false,
    schema: withReferences(schema),
  }));
  const inHeader = Object.entries(route.headers ?? {}).map(([name, description]) => ({
    name,
    in: 'header',
    required: false,
    description,
    schema: { type: 'string', minLength: 1, maxLength: 256 },
  }));
  return [...inPath, ...inQuery, ...inHeader];
}

function bodyOf(route: Route): Json | null {
  if (route.accepts) {
    return { required: true, content: { [route.accepts.contentType]: { schema: { type: 'string' } } } };
  }
  if (route.body === null) return null;
  const required = ((route.body.required as readonly string[] | undefined) ?? []).length > 0;
  return { required, content: { 'application/json': { schema: withReferences(route.body) } } };
}

function responsesOf(route: Route): Json {
  const { status, schema, streams } = route.success;
  const content = {
    ...(schema && { 'application/json': { schema: withReferences(schema) } }),
    ...Object.fromEntries((streams ?? []).map((type) => [type, { schema: { type: 'string' } }])),
  };
  const described = new Map<number, string[]>();
  const describe = (code: number, when: string) =>
    described.set(code, [...(described.get(code) ?? []), when]);
  for (const { status: code, when } of commonProblems(route)) describe(code, when);
  for (const { status: code, when } of route.problems ?? []) describe(code, when);
  const problems = [...described].map(([code, whens]) => [
    String(code),
    {
      description: `${whens.join('; ')}.`,
      content: { [PROBLEM_TYPE]: { schema: withReferences(problemSchema) } },
    },
  ]);
  return {
    [status]: { description: 'Done.', ...(Object.keys(content).length > 0 && { content }) },
    ...Object.fromEntries(problems),
  };
}

function commonProblems(route: Route): { status: number; when: string }[] {
  const problems = [{ status: 422, when: 'A field is missing, unknown or out of range' }];
  if (route.body !== null) problems.push({ status: 400, when: 'The body is not JSON' });
  if (route.role !== null) {
    problems.push({ status: 401, when: 'There is no current admin token' });
    problems.push({ status: 403, when: 'The token does not allow that' });
  }
  if (route.path.includes('{')) problems.push({ status: 404, when: 'There is no such thing' });
  if (route.cost !== undefined) {
    const when = `There were SOLESEAT_COSTLY_PER_MINUTE ${costs[route.cost]} with this token within a minute`;
    problems.push({ status: 429, when });
  }
  problems.push({ status: 503, when: 'Redis is out of reach, or takes no writes' });
  if (isOrder(route)) problems.push({ status: 503, when: 'The order came too late; nothing was done' });
  problems.push({ status: 500, when: 'Something went wrong in the broker; its log says what' });
  return problems;
}

/** The schema with references in the place of those that have a name; `self` is the one being defined. */
function withReferences(schema: unknown, self?: TSchema): unknown {
  if (typeof schema !== 'object' || schema === null) return schema;
  if (schema !== self) {
    const named = Object.entries(components).find(([, one]) => one === schema);
    if (named !== undefined) return { $ref: `#/components/schemas/${named[0]}` };
  }
  if (Array.isArray(schema)) return schema.map((one) => withReferences(one));
  return Object.fromEntries(Object.entries(schema).map(([name, value]) => [name, withReferences(value)]));
}
