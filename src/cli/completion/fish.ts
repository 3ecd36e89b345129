import type { OptionPlace, Place, Values } from './grammar.js';

/** A completion script for fish, with what each command and option does beside it. */
export function fishScript(places: readonly Place[]): string {
  const valued = places.flatMap(({ path, options }) =>
    options.filter(({ values }) => values !== null).map(({ name }) => `${path} ${name}`),
  );
  return `# soleseat: completion
set -g __soleseat_paths ${places.map(({ path }) => quoted(path)).join(' ')}
set -g __soleseat_valued ${valued.map(quoted).join(' ')}
# Whether the words before the cursor are this command, and, where a number is given, so many arguments.
function __soleseat_is
  set -l path ''
  set -l at 0
  set -l option ''
  for word in (commandline -opc)[2..-1]
    if test -n "$option"
      set option ''
    else if string match -q -- '-*' $word
      if contains -- "$path $word" $__soleseat_valued
        set option $word
      end
    else if contains -- (string trim -- "$path $word") $__soleseat_paths
      set path (string trim -- "$path $word")
    else
      set at (math $at + 1)
    end
  end
  test "$path" = "$argv[1]"; and begin
    test (count $argv) -lt 2; or test $at -eq $argv[2]
  end
end
complete -c soleseat -e
complete -c soleseat -f
${places.flatMap((place) => linesOf(place, places)).join('\n')}`;
}

function linesOf(place: Place, places: readonly Place[]): string[] {
  const here = (more = '') =>
    `complete -c soleseat -n ${quoted(`__soleseat_is ${quoted(place.path)}${more}`)}`;
  const commands = place.commands.map((name) => {
    const { does = '' } = places.find(({ path }) => path === `${place.path} ${name}`.trim()) ?? {};
    return `${here()} -a ${quoted(name)} -d ${quoted(does)}`;
  });
  const options = place.options.map((one) => `${here()} ${optionText(one)}`);
  const values = place.values.flatMap((one, index) =>
    one === 'free' ? [] : [`${here(` ${index}`)} ${valueText(one)}`],
  );
  return [...commands, ...options, ...values];
}

function optionText({ name, does, values }: OptionPlace): string {
  const option = `-l ${name.replace(/^--/, '')} -d ${quoted(does)}`;
  if (values === null) return option;
  return values === 'files'
    ? `${option} -r -F`
    : `${option} -x ${values === 'free' ? '' : valueText(values)}`.trim();
}

function valueText(values: Values): string {
  return values === 'files' ? '-F' : `-a ${quoted(values === 'free' ? '' : values.join(' '))}`;
}

function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
