import { Type } from 'typebox';
import { openApiOf } from '../openapi.js';
import type { Route } from '../route.js';
import { route } from '../route.js';
import { bulkRoutes } from './bulk.js';
import { eventRoutes } from './events.js';
import { historyRoutes } from './history.js';
import { licenseRoutes } from './licenses.js';
import { liveRoutes } from './live.js';
import { machineRoutes } from './machines.js';
import { orgRoutes } from './orgs.js';
import { revocationRoutes } from './revocations.js';
import { sessionRoutes } from './sessions.js';
import { signInRoutes } from './sign-in.js';
import { suspensionRoutes } from './suspension.js';
import { usageRoutes } from './usage.js';
import { userRoutes } from './users.js';
import { webhookRoutes } from './webhooks.js';

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
export const allRoutes: readonly Route[] = [
  openApi,
  ...signInRoutes,
  ...orgRoutes,
  ...suspensionRoutes,
  ...licenseRoutes,
  ...bulkRoutes,
  ...sessionRoutes,
  ...revocationRoutes,
  ...userRoutes,
  ...machineRoutes,
  ...eventRoutes,
  ...historyRoutes,
  ...usageRoutes,
  ...webhookRoutes,
  ...liveRoutes,
];

/** The OpenAPI 3.1 document of all routes. */
export const document = openApiOf(allRoutes);
