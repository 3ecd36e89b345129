import { Type } from 'typebox';
import { openApiOf } from '../openapi.js';
import type { Route } from '../route.js';
import { route } from '../route.js';
import { licenseRoutes } from './licenses.js';
import { signInRoutes } from './sign-in.js';

const openApi = route({
  id: 'getOpenApi',
  method: 'GET',
  path: '/v1/openapi.json',
  role: null,
  tag: 'document',
  summary: 'This document.',
  success: { status: 200, schema: Type.Object({}, { description: 'OpenAPI 3.1' }) },
  handle: async () => document,
});

/** The table of routes. */
export const allRoutes: readonly Route[] = [openApi, ...signInRoutes, ...licenseRoutes];

/** The OpenAPI 3.1 document of all routes. */
export const document = openApiOf(allRoutes);
