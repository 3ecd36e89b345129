import type { Command } from 'commander';
import { bashScript, zshScript } from './bash.js';
import { fishScript } from './fish.js';
import { placesOf } from './grammar.js';
import { completionWords } from './words.js';

const scripts = { bash: bashScript, zsh: zshScript, fish: fishScript };

export type Shell = keyof typeof scripts;

/** `soleseat completion bash|zsh|fish`: a script for the shell, made from the commands as they are. */
export function completionScript(program: Command, shell: Shell): string {
  return scripts[shell](placesOf(program, completionWords));
}
