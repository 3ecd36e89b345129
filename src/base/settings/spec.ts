export type Kind =
  | 'text'
  | 'secret'
  | 'url'
  | 'port'
  | 'count'
  | 'durationMs'
  | 'bytes'
  | 'list'
  | 'origins'
  | 'choice'
  | 'flag'
  | 'file';

export interface SettingSpec {
  readonly name: string;
  readonly kind: Kind;
  readonly default: string;
  readonly doc: string;
  readonly choices?: readonly string[];
}

/** One row. The name and the kind are kept as types, from which those of the values follow. */
export const spec = <const N extends string, const K extends Kind>(
  name: N,
  kind: K,
  defaultText: string,
  doc: string,
  choices?: readonly string[],
) => ({ name, kind, default: defaultText, doc, ...(choices && { choices }) });
