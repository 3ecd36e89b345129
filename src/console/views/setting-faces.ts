import { durationIn, shortDuration } from '../../protocol/durations.js';
import type { Org } from '../api/types.js';
import { absoluteText, numberText } from '../format.js';
import { wholeIn } from './org-input.js';

export type Settings = Org['settings'];
/** All but letter case: the command line sets that, as names that clash have to be listed. */
export type Setting = Exclude<keyof Settings, 'letterCase'>;
type Value = Settings[Setting];

export interface SettingFace {
  readonly label: string;
  readonly hint: string;
  /** An owner alone sets it. */
  readonly isOwners?: true;
  readonly options?: readonly { readonly value: string; readonly label: string }[];
  /** The value of what a person typed, which is never empty; that text, where left out. Throws a sentence for the dialog. */
  readonly read?: (text: string) => Value;
  /** As a person types it; the text of the value, where left out. */
  readonly write?: (value: NonNullable<Value>) => string;
  readonly words: (value: Value) => string;
}

/** A choice between what holds where nothing is set, and others. */
function choice(names: Readonly<Record<'' | (string & {}), string>>): Pick<SettingFace, 'options' | 'words'> {
  return {
    options: Object.entries(names).map(([value, label]) => ({ value, label })),
    words: (value) => names[String(value ?? '')] ?? String(value),
  };
}

function duration(none: string): Pick<SettingFace, 'read' | 'write' | 'words'> {
  return {
    read: (text) => {
      const ms = durationIn(text);
      if (ms === null) throw new Error('Type a duration like 30m, 12h or 7d.');
      return ms;
    },
    write: (value) => shortDuration(Number(value)),
    words: (value) => (value === null ? none : shortDuration(Number(value))),
  };
}

const count = {
  read: (text: string) => wholeIn(text, 'number'),
  words: (value: Value) => (value === null ? 'none' : numberText(Number(value))),
};

const versions = {
  read: (text: string) => {
    const pairs = text.split(/[,\n]/).map((pair) => pair.split('=').map((part) => part.trim()));
    const isWhole = pairs.every((pair) => pair.length === 2 && pair.every((part) => part !== ''));
    if (!isWhole) throw new Error('Type a program and its least version like Editor=4.2, Viewer=2.');
    return Object.fromEntries(pairs) as Record<string, string>;
  },
  write: (value: NonNullable<Value>) =>
    Object.entries(value)
      .map(([program, version]) => `${program}=${version}`)
      .join(', '),
};

/** What an org has of its own. */
export const orgFaces = {
  quota: {
    label: 'Quota',
    hint: 'How many licenses may be issued; empty for any number.',
    isOwners: true,
    ...count,
    read: (text) => wholeIn(text, 'quota'),
  },
  licenseMode: {
    label: 'License mode',
    hint: 'What a user needs for a seat.',
    isOwners: true,
    ...choice({
      '': 'as the broker is set',
      required: 'required: a license',
      auto: 'auto: the first sign-in issues one',
      open: 'open: no license',
    }),
  },
  timeZone: {
    label: 'Time zone',
    hint: 'What a day is of, as Europe/Berlin; empty for UTC. No end that is set moves.',
    words: (value) => String(value ?? 'UTC'),
  },
  machines: {
    label: 'Machines',
    hint: 'Which machines come in.',
    ...choice({ '': 'any', listed: 'only those that are allowed below' }),
  },
  containers: {
    label: 'Containers',
    hint: 'They have no machine id that stays.',
    ...choice({ '': 'as the license mode says', allow: 'allowed', deny: 'denied' }),
  },
  addresses: {
    label: 'Addresses',
    hint: 'Whether the history tells from where a session came.',
    ...choice({ '': 'not kept', keep: 'kept' }),
  },
} as const satisfies Partial<Record<Setting, SettingFace>>;

/** The rules of a seat: docs/licenses.md says what each does. */
export const ruleFaces = {
  idleLimitMs: {
    label: 'Idle limit',
    hint: 'After how long without work a session ends, like 30m; empty for never. The person is warned before.',
    ...duration('none'),
  },
  sameMachine: {
    label: 'Programs of one machine',
    hint: 'What a second program of a user on the same machine does.',
    ...choice({ '': 'the newer one takes the seat', share: 'they share the seat' }),
  },
  askWaitMs: {
    label: 'Time to answer',
    hint: 'How long a holder who is asked for the seat may think, like 15s.',
    ...duration('15s'),
  },
  askRefusal: {
    label: 'After a no',
    hint: 'Whether whoever asked may take the seat all the same.',
    ...choice({ '': 'the seat can be taken over', final: 'the seat stays for a minute' }),
  },
  leaveMaxMs: {
    label: 'Taking along offline',
    hint: 'For how long a seat may be taken along, like 7d; empty for not at all. The broker needs ticket keys.',
    ...duration('not allowed'),
  },
  leaveReturn: {
    label: 'Early return',
    hint: 'Whether a program is trusted to delete its ticket when it comes back early.',
    ...choice({ '': 'trusted', bound: 'other machines wait for the ticket’s end' }),
  },
  maxActive: {
    label: 'Most seats at once',
    hint: 'How many seats may be in use; empty for any number.',
    isOwners: true,
    ...count,
  },
  maxActiveOverdraft: {
    label: 'Overdraft',
    hint: 'By how many per cent more, which is counted and alerted.',
    isOwners: true,
    read: (text) => wholeIn(text, 'percentage'),
    words: (value) => (value === null ? 'none' : `${value} %`),
  },
  minVersion: {
    label: 'Least version',
    hint: 'Of each program, like Editor=4.2, Viewer=2; empty for any.',
    read: versions.read,
    write: versions.write,
    words: (value) => (value === null ? 'any' : versions.write(value)),
  },
  minVersionFrom: {
    label: 'Older ones end',
    hint: 'From when on older ones are refused, like 2027-01-31T08:00:00Z; empty for at once.',
    words: (value) => (value === null ? 'at once' : absoluteText(String(value))),
  },
} as const satisfies Partial<Record<Setting, SettingFace>>;

/** Each setting that the page can change. */
export const faces: Readonly<Record<Setting, SettingFace>> = { ...orgFaces, ...ruleFaces };
