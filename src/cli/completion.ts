import type { Command } from 'commander';
import { CommandFailure, exitCodes } from './failure.js';

/** One command and what may follow it: subcommands and options. */
interface Node {
  readonly path: string;
  readonly words: readonly string[];
}

/** `soleseat completion bash|zsh`: a script for the shell, made from the commands as they are. */
export function completionScript(program: Command, shell: string): string {
  const cases = nodesOf(program, '')
    .map(({ path, words }) => `    '${path}') words='${words.join(' ')}' ;;`)
    .join('\n');
  const bash = `_soleseat() {
  local path='' word words=''
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$word" in -*) ;; *) path="$path $word" ;; esac
  done
  while :; do
    case "\${path# }" in
${cases}
    esac
    [ -n "$words" ] || [ -z "$path" ] && break
    path="\${path% *}"
  done
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -F _soleseat soleseat`;
  if (shell === 'bash') return bash;
  if (shell === 'zsh') return `autoload -U +X bashcompinit && bashcompinit\n${bash}`;
  throw new CommandFailure('completion is there for bash and zsh', exitCodes.usage);
}

function nodesOf(command: Command, path: string): Node[] {
  const options = command.options.flatMap(({ long }) => long ?? []);
  const names = command.commands.map((one) => one.name());
  const own = { path, words: [...names, ...options, '--help'] };
  return [own, ...command.commands.flatMap((one) => nodesOf(one, `${path} ${one.name()}`.trim()))];
}
