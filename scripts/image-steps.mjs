import { cpSync, existsSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { root, run } from './steps.mjs';

/**
 * Reads a Dockerfile, and does what it says without Docker: each stage is a folder, and its commands run there. It knows
 * the instructions that ours uses, and refuses others.
 */
export function readDockerfile(file = join(root, 'Dockerfile')) {
  const lines = readFileSync(file, 'utf8')
    .replaceAll(/^#.*\n/gm, '')
    .replaceAll('\\\n', ' ')
    .split('\n');
  const stages = [];
  for (const line of lines.filter((one) => one.trim() !== '')) {
    const [, instruction, rest] = /^(\w+)\s+(.*)$/.exec(line) ?? [];
    if (instruction === 'FROM') {
      const [image, , name] = rest.split(/\s+/);
      stages.push({ image, name: name ?? 'image', steps: [] });
    } else stages.at(-1).steps.push({ instruction, rest: rest.trim() });
  }
  return stages;
}

/**
 * Builds all stages below `into`, with the context as .dockerignore leaves it, and gives the last one:
 * `{ folder, workdir, env, user, command, health }`. `runIn(folder, workdir, command, env)` runs a RUN.
 */
export async function buildStages({ into, context = root, runIn, onStep = () => {} }) {
  const built = new Map();
  let last;
  for (const { image, name, steps } of readDockerfile(join(context, 'Dockerfile'))) {
    const stage = { name, image, folder: join(into, name), workdir: '/', env: {}, user: 'root' };
    mkdirSync(stage.folder, { recursive: true });
    for (const step of steps) {
      onStep(`${name}: ${step.instruction} ${step.rest}`);
      await take(step, stage, { built, context, runIn });
    }
    built.set(name, stage);
    last = stage;
  }
  return last;
}

async function take({ instruction, rest }, stage, { built, context, runIn }) {
  const within = (path) => join(stage.folder, resolve(stage.workdir, path));
  if (instruction === 'WORKDIR') {
    stage.workdir = rest;
    mkdirSync(within('.'), { recursive: true });
  } else if (instruction === 'COPY') copy(rest, within, { built, context });
  else if (instruction === 'RUN') await runIn(stage.folder, stage.workdir, rest, stage.env);
  else if (instruction === 'ENV' || instruction === 'ARG') Object.assign(stage.env, assignment(rest));
  else if (instruction === 'USER') stage.user = rest;
  else if (instruction === 'CMD') stage.command = JSON.parse(rest);
  else if (instruction === 'HEALTHCHECK') stage.health = JSON.parse(/ CMD (\[.*\])$/.exec(rest)[1]);
  else if (instruction !== 'EXPOSE') throw new Error(`the replay does not know ${instruction}`);
}

function assignment(text) {
  const [, name, value] = /^(\w+)=(.*)$/.exec(text);
  return { [name]: value.replace(/^"(.*)"$/, '$1') };
}

/** As Docker does: a folder's content goes into the target; of several sources, each goes below it. */
function copy(rest, within, { built, context }) {
  const words = rest.split(/\s+/);
  const [, from] = /^--from=(.*)$/.exec(words[0]) ?? [];
  const [target, ...sources] = (from ? words.slice(1) : words).toReversed();
  const isIgnored = from ? () => false : ignoredBy(context);
  const base = from ? built.get(from).folder : context;
  for (const source of sources) {
    const path = join(base, source);
    if (!existsSync(path) || (!from && isIgnored(relative(context, path))))
      throw new Error(`COPY ${rest}: ${source} is not in the context`);
    const isInto = target.endsWith('/') || sources.length > 1;
    const to = within(isInto && statSync(path).isFile() ? join(target, basename(source)) : target);
    mkdirSync(dirname(to), { recursive: true });
    const filter = (one) => from !== undefined || one === path || !isIgnored(relative(context, one));
    cpSync(path, to, { recursive: true, verbatimSymlinks: true, filter });
  }
}

/** The last line that fits decides, as in Docker. A folder fits with all that is in it. */
function ignoredBy(context) {
  const lines = readFileSync(join(context, '.dockerignore'), 'utf8')
    .split('\n')
    .filter((line) => line.trim() !== '');
  const rules = lines.map((line) => {
    const isKept = line.startsWith('!');
    const form = line.replace(/^!/, '').replaceAll('.', '\\.').replaceAll('*', '[^/]*');
    return { isKept, form: new RegExp(`^${form}(/|$)`) };
  });
  return (path) => {
    const fitting = rules.findLast(({ form }) => form.test(path));
    return fitting !== undefined && !fitting.isKept;
  };
}

/** Runs a RUN in the folder itself: nothing else of the stage is there. */
export function runInFolder(folder, workdir, command, env) {
  return run('sh', ['-c', command], { cwd: join(folder, workdir), env: { ...plainEnvironment(), ...env } });
}

/** Nothing that npm told this process. */
function plainEnvironment() {
  const told = Object.keys(process.env).filter((name) => /^(npm_|NODE_ENV$)/i.test(name));
  return Object.fromEntries(told.map((name) => [name, undefined]));
}
