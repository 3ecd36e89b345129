import type { Argument, Command, Option } from 'commander';

/** What may stand in one place: one of these words, a file, or something that no list knows. */
export type Values = readonly string[] | 'files' | 'free';

export interface OptionPlace {
  /** As it is typed: `--status`. */
  readonly name: string;
  readonly does: string;
  /** Null: it takes no value. */
  readonly values: Values | null;
}

/** One command, and what may follow it. */
export interface Place {
  /** The words before it: `license list`; empty for the program itself. */
  readonly path: string;
  readonly does: string;
  readonly commands: readonly string[];
  readonly options: readonly OptionPlace[];
  /** What stands behind the command without a dash, in order. */
  readonly values: readonly Values[];
}

/** Words that a value may be beside the choices that commander knows, by how the value is called in the help: `<type>`. */
export type Words = Readonly<Record<string, readonly string[]>>;

/** Every command of the program, the program itself first. */
export function placesOf(command: Command, words: Words, path = ''): Place[] {
  const visible = command.commands.filter((one) => one.name() !== 'help');
  const own: Place = {
    path,
    does: command.description(),
    commands: visible.map((one) => one.name()),
    options: [...command.options.map((one) => optionPlace(one, words)), help],
    values: command.registeredArguments.map((one) => valuesOfArgument(one, words)),
  };
  return [own, ...visible.flatMap((one) => placesOf(one, words, `${path} ${one.name()}`.trim()))];
}

const help: OptionPlace = { name: '--help', does: 'what there is', values: null };

function optionPlace(option: Option, words: Words): OptionPlace {
  const name = option.long ?? option.short ?? '';
  const takesValue = option.required || option.optional;
  const called = /[<[]([^>\].]+)/.exec(option.flags)?.[1] ?? '';
  return {
    name,
    does: option.description,
    values: takesValue ? valuesOf(called, option.argChoices, { words, owner: name }) : null,
  };
}

function valuesOfArgument(argument: Argument, words: Words): Values {
  return valuesOf(argument.name(), argument.argChoices, { words, owner: '' });
}

/** `owner` tells the `<id>` of one option from that of another: its words are listed under `--only id`. */
function valuesOf(
  called: string,
  choices: readonly string[] | undefined,
  { words, owner }: { readonly words: Words; readonly owner: string },
): Values {
  if (choices !== undefined) return choices;
  if (called === 'file') return 'files';
  return words[`${owner} ${called}`.trim()] ?? words[called] ?? 'free';
}
