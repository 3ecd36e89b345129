import { Type } from 'typebox';
import { actorOf } from '../access.js';
import { route } from '../route.js';
import { count, machineFields, object, pageOf, time, timeText } from '../schemas.js';

const tag = 'machines';
const org = '/v1/admin/orgs/{org}';
const oneRule = `${org}/machine-rules/{machineId}` as const;

const rule = Type.Enum(['allow', 'deny'], {
  description: 'allow: comes in also where only listed machines do; deny: never comes in.',
});
const ruleSchema = object({ machineId: Type.String(), rule });

export const machineRoutes = [
  route({
    id: 'listMachines',
    method: 'GET',
    path: `${org}/machines/{user}`,
    role: 'viewer',
    tag,
    summary: 'The machines on which a user got a seat, the last seen first; the newest 256 are kept.',
    success: {
      status: 200,
      schema: pageOf(
        object({
          ...machineFields,
          firstSeen: time('When it first got the seat.'),
          lastSeen: time('When it last got the seat.'),
          times: count('How often, resumes included.'),
          double: Type.Optional(
            object(
              {
                names: Type.Array(Type.String(), { minItems: 2, maxItems: 2 }),
                at: time('The last time.'),
              },
              {
                description: 'Two programs with this id ran at once under different names: a copied machine.',
              },
            ),
          ),
        }),
      ),
    },
    handle: async ({ params }, { store }) => {
      const seen = await store.machines.of(params.org, params.user);
      const items = seen.map(({ machine, firstSeen, lastSeen, times, double }) => ({
        ...machine,
        firstSeen: timeText(firstSeen),
        lastSeen: timeText(lastSeen),
        times,
        ...(double && { double: { names: double.names, at: timeText(double.at) } }),
      }));
      return { items, next: null };
    },
  }),
  route({
    id: 'listMachineRules',
    method: 'GET',
    path: `${org}/machine-rules`,
    role: 'viewer',
    tag,
    summary: 'The machines that the org allows or denies by id.',
    success: { status: 200, schema: pageOf(ruleSchema) },
    handle: async ({ params }, { store }) => {
      const rules = Object.entries(await store.orgs.machineRules(params.org));
      const items = rules.map(([machineId, one]) => ({ machineId, rule: one }));
      return { items: items.sort((a, b) => (a.machineId < b.machineId ? -1 : 1)), next: null };
    },
  }),
  route({
    id: 'setMachineRule',
    method: 'PUT',
    path: oneRule,
    role: 'admin',
    tag,
    summary: 'Allows or denies a machine. A session that is running goes on.',
    body: { rule },
    success: { status: 200, schema: ruleSchema },
    handle: async ({ params, body, caller }, { store }) => {
      await store.orgs.setMachineRule(params.org, params.machineId, body.rule, actorOf(caller));
      return { machineId: params.machineId, rule: body.rule };
    },
  }),
  route({
    id: 'deleteMachineRule',
    method: 'DELETE',
    path: oneRule,
    role: 'admin',
    tag,
    summary: 'Takes a machine off the list.',
    success: { status: 204 },
    handle: async ({ params, caller }, { store }) => {
      await store.orgs.setMachineRule(params.org, params.machineId, null, actorOf(caller));
    },
  }),
];
