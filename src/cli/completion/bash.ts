import type { Place, Values } from './grammar.js';

/**
 * A completion script for bash, and for zsh by its bashcompinit. It walks over the words before the cursor: which of them are
 * commands, and which option still lacks its value.
 */
export function bashScript(places: readonly Place[]): string {
  return `# soleseat: completion
_soleseat_at() {
  case "$1" in
${places.map(caseOfPlace).join('\n')}
    *) return 1 ;;
  esac
}
_soleseat_value() {
  case "$1" in
${places.flatMap(casesOfValues).join('\n')}
    *) return 1 ;;
  esac
}
_soleseat() {
  local cur="\${COMP_WORDS[COMP_CWORD]}" path='' option='' at=0 i word words=''
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    word="\${COMP_WORDS[i]}"
    if [ "$word" = '=' ]; then continue; fi
    if [ -n "$option" ]; then option=''; continue; fi
    case "$word" in
      --) return 0 ;;
      -*) if _soleseat_value "$path $word"; then option="$word"; fi ;;
      *) if _soleseat_at "$path\${path:+ }$word"; then path="$path\${path:+ }$word"; else at=$((at + 1)); fi ;;
    esac
  done
  if [ "$cur" = '=' ]; then cur=''; fi
  if [ -n "$option" ]; then
    _soleseat_value "$path $option"
  elif [[ "$cur" != -* ]] && _soleseat_value "$path $at"; then
    :
  else
    _soleseat_at "$path"
  fi
  if [ "$words" = '<files>' ]; then
    local IFS=$'\\n'
    compopt -o filenames 2>/dev/null
    COMPREPLY=($(compgen -f -- "$cur"))
  else
    COMPREPLY=($(compgen -W "$words" -- "$cur"))
  fi
}
complete -F _soleseat soleseat`;
}

export function zshScript(places: readonly Place[]): string {
  return `autoload -U +X compinit && compinit\nautoload -U +X bashcompinit && bashcompinit\n${bashScript(places)}`;
}

function caseOfPlace({ path, commands, options }: Place): string {
  return `    '${path}') words='${[...commands, ...options.map(({ name }) => name)].join(' ')}' ;;`;
}

/** One line for each option that takes a value, and for each argument by its place. */
function casesOfValues({ path, options, values }: Place): string[] {
  const ofOptions = options.flatMap((one) =>
    one.values === null ? [] : [`    '${path} ${one.name}') words='${wordsOf(one.values)}' ;;`],
  );
  const ofArguments = values.flatMap((one, index) =>
    one === 'free' ? [] : [`    '${path} ${index}') words='${wordsOf(one)}' ;;`],
  );
  return [...ofOptions, ...ofArguments];
}

function wordsOf(values: Values): string {
  if (values === 'files') return '<files>';
  return values === 'free' ? '' : values.join(' ');
}
