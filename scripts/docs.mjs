/**
 * Writes the documentation, and the types of the admin API, that derive from the tables in src/base, src/protocol, src/admin and src/cli. Needs a built dist.
 *
 *   node scripts/docs.mjs           writes
 *   node scripts/docs.mjs --check   changes nothing; exits 1 and names each stale file
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { adminTypes } from './admin-types.mjs';

const root = resolve(import.meta.dirname, '..');
const isCheck = process.argv.includes('--check');

const deskCommands = [
  'org',
  'license',
  'session',
  'machine',
  'events',
  'history',
  'usage',
  'user',
  'webhook',
  'top',
];
const deskOptions = ['--url', '--token', '--org', '--json', '--yes', '--new-org'];
const settingsOptions = ['--config', '--set'];

const kindNames = {
  text: 'text',
  secret: 'text, secret',
  url: 'URL',
  port: 'port',
  count: 'whole number',
  durationMs: 'duration: ms, or like `500ms`, `30s`, `5m`, `1h`, `90d`',
  bytes: 'bytes',
  list: 'list, comma separated',
  origins: 'origins, comma separated',
  flag: '`true` or `false`',
  file: 'file',
};

const tables = await loadTables();
const { settingsTable, metricsTable, closeCodes, isFinal, program, allRoutes, eventTypes, redisKeys } =
  tables;
const { clientMessages, serverMessages } = tables;

const pages = {
  'docs/settings.md': () => settingsPage(),
  'docs/metrics.md': () => metricsPage(),
  'docs/events.md': () => eventsPage(),
  'docs/redis-keys.md': () => redisKeysPage(),
  'docs/commands.md': () => commandsPage(),
  'docs/admin-api.md': () => adminApiPage(),
  'PROTOCOL.md': protocolPage,
  'src/protocol/admin-answers.ts': () => adminTypes(allRoutes),
};

const stale = [];
for (const [file, render] of Object.entries(pages)) {
  const path = join(root, file);
  const before = readIfThere(path);
  const after = render(before);
  if (after === before) continue;
  stale.push(file);
  if (!isCheck) writeFileSync(path, after);
}
for (const file of stale) console.log(isCheck ? `stale: ${file} (run npm run docs)` : `written: ${file}`);
if (isCheck && stale.length > 0) process.exitCode = 1;

async function loadTables() {
  try {
    const all = await Promise.all([
      import('../dist/base/settings.js'),
      import('../dist/base/metrics.js'),
      import('../packages/client/dist/esm/protocol/close-codes.js'),
      import('../packages/client/dist/esm/protocol/message-table.js'),
      import('../dist/protocol/event-types.js'),
      import('../dist/store/redis-keys.js'),
      import('../dist/cli/program.js'),
      import('../dist/admin/routes/index.js'),
    ]);
    return Object.assign({}, ...all);
  } catch (error) {
    if (error.code !== 'ERR_MODULE_NOT_FOUND') throw error;
    console.error('There is no built dist: run npm run build first.');
    process.exit(1);
  }
}

function readIfThere(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error.code === 'ENOENT') return '';
    throw error;
  }
}

function settingsPage() {
  const rows = Object.values(settingsTable).map(({ name, kind, default: value, doc, choices }) => [
    `\`${name}\``,
    choices ? choices.map((choice) => `\`${choice}\``).join(', ') : kindNames[kind],
    value === '' ? '' : `\`${value}\``,
    doc,
  ]);
  return `# Settings

Written by \`npm run docs\` from the table in \`src/base/settings.ts\`; change it there.

Where a setting is given more than once, \`--set NAME=value\` outranks the environment, the environment
outranks the file of \`--config\`, and the file outranks what \`dev\` presets. An unknown name that begins with
\`SOLESEAT_\` is a fault. \`soleseat config check\` says whether \`serve\` would start and names every fault;
\`soleseat config print\` shows what applies, without secrets.

A line end behind a value is taken off; quotes around a value are refused, as they would be part of it. Of secrets and of
\`REDIS_URL\`, a setting with \`_FILE\` behind its name may name a file with the value. What Kubernetes injects for a Service
named \`soleseat\` (\`SOLESEAT_PORT=tcp://…\`) is no setting.

${table(['setting', 'value', 'default', 'meaning'], rows)}
`;
}

function quoted(all) {
  return all.map((one) => `\`${one}\``).join(', ');
}

function eventsPage() {
  const entries = Object.entries(eventTypes);
  const rowsOf = (half) =>
    entries
      .filter(([, type]) => type.half === half)
      .map(([name, { doc, details }]) => [`\`${name}\``, doc, quoted(Object.keys(details))]);
  const head = ['type', 'when', 'details'];
  return `# Events

Written by \`npm run docs\` from \`src/protocol/event-types.ts\`; change it there.

The past of an org is one list with two halves, which are kept apart. Whatever happens in one shortens nothing of the
other. \`soleseat events\`, \`/v1/admin/orgs/{org}/events\` and the console show both in one order.

Every event has \`id\`, \`type\`, \`at\` (by Redis's clock) and, where they apply, \`actor\` (\`user\`, \`broker\`, or the \`sub\` of an
admin's token), \`role\` (of such a token), \`user\`, \`machine\`, \`reason\`, \`sessionId\`, \`epoch\`, \`node\` and \`details\`.

In Redis an event names its user by a random key, and \`{<org>}:names\` tells whose key it is. The name is put in when the
event is read. If that row is deleted, the events stay and nobody can tell who it was. They then have \`userKey\` in place of
\`user\`, the same for all events about this user.

## Acts

What people and the system did to licenses, orgs and rules. They are kept for \`SOLESEAT_ACTS_KEPT\`, however many there are.

${table(head, rowsOf('acts'))}

## Traffic

What sessions did, and what was refused. It is kept for \`SOLESEAT_SESSIONS_KEPT\`, and about \`SOLESEAT_EVENTS_KEPT\` events at
most.

${table(head, rowsOf('traffic'))}

## Details

${table(
  ['type', 'field', 'meaning'],
  entries.flatMap(([name, { details }]) =>
    Object.entries(details).map(([field, meaning]) => [`\`${name}\``, `\`${field}\``, meaning]),
  ),
)}

## Names of version 0.1

Events of version 0.1 are read under the new names. A filter may still say the old name, for this version.

${table(
  ['now', 'in version 0.1'],
  entries.filter(([, { was }]) => was).map(([name, { was }]) => [`\`${name}\``, `\`${was}\``]),
)}
`;
}

function redisKeysPage() {
  const rows = Object.values(redisKeys).map(({ key, type, ttl, users, doc }) => [
    `\`${key}\``,
    type,
    ttl ?? '',
    users ?? '',
    doc,
  ]);
  return `# Keys in Redis

Written by \`npm run docs\` from \`src/store/redis-keys.ts\`; change it there.

Each name stands behind \`SOLESEAT_KEY_PREFIX\`, which is \`soleseat:\`. The braces around the org keep all its keys in one
slot of a Redis Cluster. \`<index>\` is empty on one server. In a cluster it is a tag like \`{1bz}:\`, and each slot that has
orgs has such keys of its own.

A key without a time is kept for ever. "Users" tells where the names of users stand in a key: in its name, or in its members,
fields or values. In other keys there are none.

${table(['key', 'type', 'kept for', 'users', 'what it holds'], rows)}
`;
}

function metricsPage() {
  const rows = Object.values(metricsTable).map(([kind, name, help, labels]) => [
    `\`${name}\``,
    kind,
    quoted(Object.keys(labels)),
    help,
  ]);
  const values = Object.values(metricsTable).flatMap(([, name, , labels]) =>
    Object.entries(labels)
      .filter(([, all]) => all !== 'open')
      .map(([label, all]) => [`\`${name}\``, `\`${label}\``, quoted(all)]),
  );
  return `# Metrics

Written by \`npm run docs\` from the tables in \`src/base/metrics/\`; change them there.

\`GET /metrics\` on the admin port answers in the text format of Prometheus. Beside these come the process's own
metrics as \`prom-client\` names them (\`process_…\`, \`nodejs_…\`), but for those that walk every open socket. Labels
are bounded: none holds a user or a session. Orgs have series of their own up to \`SOLESEAT_METRICS_ORGS\`, in the order of their
names; those beyond are summed in one whose \`org\` is \`{others}\`. Histograms are in seconds.

What Redis says of itself and the counts of licenses are read in the background, every \`SOLESEAT_METRICS_EVERY_MS\`: a
scrape never waits for Redis. Each node reads them, so take \`max\` over the nodes, not \`sum\`. While Redis is out of reach,
the gauges of licenses and \`soleseat_redis_keys\` keep their last values: \`soleseat_redis_up\` says whether they are of now.

A scrape costs a node the same however many sessions it serves; \`npm run bench:scrape\` measures it.

${table(['metric', 'kind', 'labels', 'meaning'], rows)}

## Values of labels

Labels that are not here take their values from outside: an address, an org, a policy of Redis. A counter whose labels all
are here has its series from a node's start, at 0, so that \`increase()\` and \`rate()\` see the first burst too.

${table(['metric', 'label', 'values'], values)}
`;
}

function commandsPage() {
  const leaves = (command, path) =>
    command.commands.length === 0
      ? [{ command, path }]
      : command.commands.flatMap((one) => leaves(one, [...path, one.name()]));
  const rows = leaves(program, []).map(({ command, path }) => {
    const words = command.registeredArguments.map((one) =>
      one.required ? `<${one.name()}>` : `[${one.name()}]`,
    );
    const shared = deskCommands.includes(path[0]) ? deskOptions : settingsOptions;
    const own = command.options.filter(({ long }) => !shared.includes(long));
    const help = command.createHelp();
    const options = own.map((one) => `\`${one.flags}\` ${help.optionDescription(one)}`).join('<br>');
    return [`\`soleseat ${[...path, ...words].join(' ')}\``, command.description(), options];
  });
  return `# Commands

Written by \`npm run docs\` from the commands in \`src/cli/program.ts\` and \`src/cli/desk/\`; change them there. From a clone, \`soleseat\` is
\`node dist/cli/main.js\`. \`--help\` after any command says the same.

Commands that ask a broker (${deskCommands.map((name) => `\`${name}\``).join(', ')}) also take \`--url\`, \`--token\`,
\`--org\` and \`--json\`; what ends a session or takes a license asks first, unless \`--yes\` is given, and an
org begins to exist only after a question or with \`--new-org\`. Commands that read settings take \`--config <file>\` and \`--set NAME=value\`.

${table(['command', 'what it does', 'options'], rows)}

## Exit codes

| code | meaning |
| --- | --- |
| 0 | fine |
| 1 | failed, or not found; \`license recount\`: a counter differs; \`client-test\`: a check failed |
| 2 | wrong usage; something that cannot be undone without \`--yes\` and a terminal |
| 69 | the broker, Redis or a port cannot be had |
| 77 | refused: the token, the role, the quota, what stands in the way, or who was asked; \`connect\`: the seat was refused or taken |
| 78 | bad settings |
| 130 | interrupted; \`connect\` gives the seat back and ends with 0 |
`;
}

function adminApiPage() {
  const rows = allRoutes.map(({ method, path, role, allOrgs, summary }) => [
    `\`${method}\``,
    `\`${path}\``,
    role === null ? 'none' : allOrgs ? `${role} of all orgs` : role,
    summary,
  ]);
  return `# Admin API

Written by \`npm run docs\` from the table of routes in \`src/admin/routes\`; change it there.
\`GET /v1/openapi.json\` on the admin port describes every field, as OpenAPI 3.1.

- **Tokens** go into \`Authorization: Bearer …\`. They are JWTs with the keys and the issuer of client tokens, the audience
  \`SOLESEAT_ADMIN_JWT_AUDIENCE\`, and the claims \`sub\` (the name in the audit trail), \`role\` (\`viewer\`, \`operator\`,
  \`admin\` or \`owner\`; each may do what those before it may) and \`org\` (one org, or \`*\` for all). An owner is of all orgs.
  \`soleseat token mint --admin --role viewer --org acme\` signs one.
- **Browsers** sign in with \`POST /v1/admin/session\`, which keeps the token in a cookie. Writes from pages of another origin
  are refused.
- **Errors** are problem+json (RFC 9457). Programs go by \`code\`; 422 names the fields, or the lines of a file.
- **Orgs** exist from their first claim, setting, license or import on. Another org's data is answered with 404.
- **Times** are RFC 3339 in UTC. Durations end in \`Ms\`.
- **Lists** are \`{items, next}\`: \`next\` is the \`cursor\` of the next page, null at the end. A page that is searched for may be
  shorter than \`limit\`, also empty, while \`next\` goes on.
- **Issuing twice**: with an \`Idempotency-Key\`, a repetition within a day gets the first answer.
- **Bodies** are JSON of 64 KiB at most, not compressed; an import is CSV of 16 MiB at most.
- **A lost connection** does not stop an import: the audit trail tells how it ended (\`license.imported\` or \`license.import_undone\`).

On the public port, \`GET /v1/session\` with a user's own client token tells who has the user's seat. Its errors have a \`status\` and a \`title\`, no \`code\`.

${table(['method', 'path', 'role', 'what it does'], rows)}
`;
}

function protocolPage(before) {
  const parts = {
    'client-messages': messagesTable(clientMessages),
    'server-messages': messagesTable(serverMessages),
    'close-codes': closeCodesTable(),
  };
  let text = before;
  for (const [name, inner] of Object.entries(parts))
    text = between(text, `<!-- ${name} -->`, `<!-- /${name} -->`, inner);
  return text;
}

function messagesTable(messages) {
  const rows = Object.entries(messages).map(([type, { fields, when }]) => [
    `\`${type}\``,
    Object.entries(fields)
      .map(([name, field]) => shownField(name, field))
      .join(', '),
    when,
  ]);
  return table(['type', 'fields', 'when'], rows);
}

/** `license {id, expiresAt?}` or null (`license.expiresAt` in Unix ms) */
function shownField(name, field) {
  const units = unitsWithin(name, field).map(([path, unit]) => `\`${path}\` in ${unit}`);
  const own = field.kind === 'boolean' ? 'boolean' : field.unit;
  const notes = own === undefined ? units.join(', ') : own;
  return `\`${shape(name, field)}\`${field.nullable ? ' or null' : ''}${notes === '' ? '' : ` (${notes})`}`;
}

function shape(name, { optional, fields }) {
  const inner = Object.entries(fields ?? {}).map(([one, field]) => shape(one, field));
  return `${name}${optional ? '?' : ''}${fields === undefined ? '' : ` {${inner.join(', ')}}`}`;
}

function unitsWithin(path, { fields = {} }) {
  return Object.entries(fields).flatMap(([name, field]) => [
    ...(field.unit === undefined ? [] : [[`${path}.${name}`, field.unit]]),
    ...unitsWithin(`${path}.${name}`, field),
  ]);
}

function closeCodesTable() {
  const rows = closeCodes.map(({ code, reason, meaning }) => [
    String(code),
    `\`${reason}\``,
    isFinal(code) ? 'yes' : 'no',
    meaning,
  ]);
  return table(['code', 'reason', 'final', 'meaning'], rows);
}

function table(heads, rows) {
  const line = (cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(heads), line(heads.map(() => '---')), ...rows.map(line)].join('\n');
}

function between(text, start, end, inner) {
  const from = text.indexOf(start);
  const to = text.indexOf(end);
  if (from < 0 || to < from) throw new Error(`PROTOCOL.md needs the markers ${start} and ${end}`);
  return `${text.slice(0, from + start.length)}\n${inner}\n${text.slice(to)}`;
}
