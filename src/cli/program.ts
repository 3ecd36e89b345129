import { Argument, Command, InvalidArgumentError, Option } from 'commander';
import { type Role, roles } from '../auth/claims.js';
import { VERSION } from '../base/version.js';
import type { ClientTestOptions } from './client-test.js';
import type { Shell } from './completion/completion.js';
import type { ConfigurationSources } from './configuration.js';
import type { ConnectOptions } from './connect.js';
import { type DeskOptions, withDesk } from './desk/desk.js';
import { registerEvents } from './desk/events.js';
import { registerHistory } from './desk/history.js';
import { registerLicenses } from './desk/licenses.js';
import { registerMachines } from './desk/machines.js';
import { registerOrgs } from './desk/orgs.js';
import { registerSessions } from './desk/sessions.js';
import { registerTokens } from './desk/tokens.js';
import { registerUsage } from './desk/usage.js';
import { registerUsers } from './desk/users.js';
import { registerWebhooks } from './desk/webhooks.js';
import { CommandFailure, exitCodes, wantsJson } from './failure.js';

// Each command loads what it needs when it is called: a table of licenses should not wait for a broker to load.

interface SourceOptions {
  readonly config?: string;
  readonly set?: readonly string[];
}

const sourcesOf = ({ config, set }: SourceOptions): ConfigurationSources => ({
  environment: process.env,
  ...(config !== undefined && { file: config }),
  ...(set !== undefined && { set }),
});

function withSources(command: Command): Command {
  return command
    .option('--config <file>', 'a file of NAME=value lines')
    .option('--set <NAME=value...>', 'settings that outrank the environment and the file');
}

function seconds(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text))
    throw new InvalidArgumentError('must be a whole number of seconds above 0');
  return Number(text);
}

function count(text: string): number {
  if (!/^[1-9]\d{0,2}$/.test(text)) throw new InvalidArgumentError('must be a whole number from 1 to 999');
  return Number(text);
}

/** Every command, as `--help`, the completion scripts and docs/commands.md show them. */
export const program = new Command('soleseat')
  .description('One user, one live session: a session broker for per-user licenses.')
  .version(VERSION)
  .exitOverride()
  // With --json the failure itself says what commander would have said in words.
  .configureOutput({ writeErr: (text) => void (wantsJson(process.argv) || process.stderr.write(text)) })
  .showHelpAfterError('(--help shows what there is)');

withSources(program.command('serve'))
  .description('run a broker node on the Redis that REDIS_URL names')
  .option('--no-wait', 'end at once where Redis is not up, in place of waiting for it')
  .action(async (options: SourceOptions & { wait: boolean }) =>
    (await import('./serve.js')).serve(sourcesOf(options), options),
  );

withSources(program.command('dev'))
  .description('run a broker with a Redis and a key of its own, to try it')
  .option('--no-office', 'without the programs that come and go in the org acme')
  .action(async (options: SourceOptions & { office: boolean }) =>
    (await import('./dev.js')).dev(sourcesOf(options), options),
  );

program
  .command('demo')
  .description('play the whole story on two nodes: takeover, notice, crash, resume, release')
  .option('--json', 'one JSON object a step')
  .action(async (options: { json?: boolean }) => (await import('./demo.js')).demo(options));

withSources(program.command('connect'))
  .description('be a desktop program in a terminal: hold a seat until Ctrl+C, or until it is taken')
  .option('--url <url>', 'the broker', 'ws://127.0.0.1:8080')
  .option('--token <jwt>', 'a client token; without it one is signed with the development key')
  .option('--user <user>', 'the user of the signed token', 'ada')
  .option('--org <org>', 'the org of the signed token', 'acme')
  .option('--machine <id>', 'this machine’s id and name', 'workstation')
  .addOption(
    new Option('--on-conflict <policy>', 'when another machine has the seat')
      .choices(['takeover', 'deny'])
      .default('takeover'),
  )
  .option('--json', 'one JSON object a line')
  .action(async (options: ConnectOptions & SourceOptions) =>
    (await import('./connect.js')).connect(options, sourcesOf(options)),
  );

program
  .command('client-test [command...]')
  .description('judge a client in any language by what it does on the wire: client-test -- COMMAND…')
  .option('--list', 'the checks and the rules that they stand on')
  .option('--only <id...>', 'these checks alone')
  .addOption(
    new Option('--hides <what...>', 'what the platform of the client hides from it').choices([
      'status',
      'pings',
    ]),
  )
  .option('--timeout <seconds>', 'how long the client may take for what it has to do at once', seconds, 15)
  .option('--jobs <count>', 'how many checks run side by side', count, 12)
  .option('--json', 'as JSON')
  .action(async (command: string[], options: ClientTestOptions) =>
    (await import('./client-test.js')).clientTest(command, options),
  );

interface MintOptions extends SourceOptions {
  readonly user?: string;
  readonly org: string;
  readonly name?: string;
  readonly admin?: boolean;
  readonly role: Role;
  readonly expiresIn: number;
  readonly kid?: string;
}

const token = program.command('token').description('sign tokens to try with; refuse tokens before their end');
withSources(token.command('mint'))
  .description('sign a client or admin token with the broker’s own key, or the development key')
  .option('--user <user>', 'the token’s sub; of an admin token: the name in the audit trail')
  .requiredOption('--org <org>', 'the token’s org; * in an admin token: all of them')
  .option('--name <name>', 'the person’s name')
  .option('--admin', 'an admin token, for the admin API')
  .addOption(new Option('--role <role>', 'what the admin token allows').choices([...roles]).default('viewer'))
  .option('--expires-in <seconds>', 'life of the token', seconds, 3600)
  .option('--kid <kid>', 'which key of the key file signs')
  .action(async ({ user, org, name, admin, role, expiresIn, kid, ...options }: MintOptions) => {
    const { sayKey, signingFor } = await import('./signing.js');
    const { checkMinted, mint, mintAdmin } = await import('./token.js');
    const signing = signingFor(sourcesOf(options), { isAdmin: admin === true });
    const { configuration } = signing;
    const common = { org, expiresInSeconds: expiresIn, ...(kid !== undefined && { kid }) };
    if (!admin && user === undefined)
      throw new CommandFailure('a client token needs --user', exitCodes.usage);
    const token = admin
      ? mintAdmin(configuration, { ...common, subject: user ?? 'admin', role })
      : mint(configuration, { ...common, user: user ?? '', ...(name !== undefined && { name }) });
    checkMinted(configuration, token, admin === true, name);
    sayKey(signing, { ...(kid !== undefined && { kid }) });
    console.log(token);
  });

const config = program.command('config').description('the settings');
withSources(config.command('check'))
  .description('say whether serve would start; exits 78 naming the bad settings')
  .action(async (options: SourceOptions) => (await import('./config.js')).configCheck(sourcesOf(options)));
withSources(config.command('print'))
  .description('every setting, its value and its meaning; secrets are not shown')
  .option('--json', 'as JSON')
  .action(async (options: SourceOptions & { json?: boolean }) =>
    (await import('./config.js')).configPrint(sourcesOf(options), options),
  );

withSources(program.command('doctor'))
  .description('look at settings, keys, ports, limits and Redis, and say what to change')
  .option('--json', 'as JSON')
  .action(async (options: SourceOptions & { json?: boolean }) =>
    (await import('./doctor.js')).doctor(sourcesOf(options), options),
  );

const owner = program
  .command('owner')
  .description('owners: who sets quotas and webhooks; works on Redis itself');
withSources(owner.command('add <name>'))
  .description('make somebody an owner, by the sub of their admin tokens: the first one at least')
  .option('--json', 'as JSON')
  .action(async (name: string, options: SourceOptions & { json?: boolean }) =>
    (await import('./owners.js')).addOwner(sourcesOf(options), name, options),
  );
withSources(owner.command('remove <name>'))
  .description('take it back')
  .option('--json', 'as JSON')
  .action(async (name: string, options: SourceOptions & { json?: boolean }) =>
    (await import('./owners.js')).removeOwner(sourcesOf(options), name, options),
  );
withSources(owner.command('list'))
  .description('who was made an owner here')
  .option('--json', 'as JSON')
  .action(async (options: SourceOptions & { json?: boolean }) =>
    (await import('./owners.js')).listOwners(sourcesOf(options), options),
  );

const node = program
  .command('node')
  .description('nodes: which there are, and to empty one of them; works on Redis itself');
withSources(node.command('list'))
  .description('every node, what it serves and whether it drains')
  .option('--json', 'as JSON')
  .action(async (options: SourceOptions & { json?: boolean }) =>
    (await import('./nodes.js')).listNodes(sourcesOf(options), options),
  );
withSources(node.command('drain <node>'))
  .description(
    'move the sessions of a node to the others, and wait until it is empty; it takes none until undrain or its end',
  )
  .option('--no-wait', 'do not wait until it is empty')
  .option('--json', 'as JSON')
  .action(async (nodeId: string, options: SourceOptions & { wait: boolean; json?: boolean }) =>
    (await import('./nodes.js')).drainNode(sourcesOf(options), nodeId, options),
  );
withSources(node.command('undrain <node>'))
  .description('let a node take sessions again')
  .option('--json', 'as JSON')
  .action(async (nodeId: string, options: SourceOptions & { json?: boolean }) =>
    (await import('./nodes.js')).undrainNode(sourcesOf(options), nodeId, options),
  );

registerOrgs(program);
registerTokens(token);
registerLicenses(program);
registerSessions(program);
registerMachines(program);
registerEvents(program);
registerHistory(program);
registerUsage(program);
registerUsers(program);
registerWebhooks(program);

withDesk(program.command('top'))
  .description('how things stand at a glance, redrawn every second; q ends')
  .action(async (options: DeskOptions) => (await import('./top.js')).top(options));

program
  .command('completion')
  .addArgument(new Argument('<shell>', 'for which shell').choices(['bash', 'zsh', 'fish']))
  .description(
    'print a completion script: source <(soleseat completion bash), or soleseat completion fish | source',
  )
  .action(async (shell: Shell) =>
    console.log((await import('./completion/completion.js')).completionScript(program, shell)),
  );
