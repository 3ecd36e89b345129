import { readOrigin } from './origin.js';
import {
  type SettingFault,
  type SettingSpec,
  type Settings,
  type SettingTexts,
  settingsTable,
} from './settings.js';

/**
 * Reads all settings. Gives every fault at once; unknown `SOLESEAT_` names are faults too.
 * Pure: nothing here reads the environment or ends the process.
 */
export function parseSettings(
  texts: SettingTexts,
):
  | { readonly ok: true; readonly settings: Settings }
  | { readonly ok: false; readonly faults: readonly SettingFault[] } {
  const faults: SettingFault[] = unknownNames(texts).map((setting) => ({
    setting,
    problem: 'no such setting; `soleseat config print` lists them',
  }));
  const given = cleaned(texts, faults);
  const values: Record<string, unknown> = {};
  // A provider's tokens name the provider.
  const derived: SettingTexts = given.SOLESEAT_OIDC_ISSUER
    ? { SOLESEAT_JWT_ISSUER: given.SOLESEAT_OIDC_ISSUER }
    : {};
  for (const [property, one] of Object.entries(settingsTable)) {
    try {
      values[property] = readValue(one, given[one.name] ?? derived[one.name] ?? one.default);
    } catch (error) {
      faults.push({ setting: one.name, problem: (error as Error).message });
    }
  }
  if (faults.length > 0) return { ok: false, faults };
  return { ok: true, settings: values as Settings };
}

/**
 * What Kubernetes injects for a Service named like us, or like us and more: SOLESEAT_SERVICE_HOST, SOLESEAT_PORT_8080_TCP
 * and the like. SOLESEAT_PORT, too, is then an address of that Service.
 */
const injectedName =
  /^SOLESEAT(_[A-Z0-9]+)*_(SERVICE_(HOST|PORT)(_[A-Z0-9_]+)?|PORT(_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?)$/;
const injectedValue = /^(tcp|udp|sctp):\/\//;

function isInjected([name, text]: readonly [string, string | undefined]): boolean {
  return injectedName.test(name) && (!isKnown(name) || injectedValue.test(text ?? ''));
}

const specs: readonly SettingSpec[] = Object.values(settingsTable);
const knownNames: ReadonlySet<string> = new Set(specs.flatMap((one) => [one.name, ...fileNamesOf(one)]));

function isKnown(name: string): boolean {
  return knownNames.has(name);
}

/** The setting that names a file with the text of this one: for what should not stand in an environment. */
export function fileNamesOf({ name, kind }: SettingSpec): readonly string[] {
  return kind === 'secret' || kind === 'url' ? [`${name}_FILE`] : [];
}

function unknownNames(texts: SettingTexts): string[] {
  return Object.keys(texts).filter(
    (name) => name.startsWith('SOLESEAT_') && !isKnown(name) && !isInjected([name, texts[name]]),
  );
}

/** A text as it was meant: files and shells leave a line end behind it, and a form an empty one. */
export function withoutLineEnd(text: string): string {
  return text.replace(/(\r?\n)+$/, '');
}

function cleaned(texts: SettingTexts, faults: SettingFault[]): SettingTexts {
  const given: Record<string, string> = {};
  for (const { name, kind } of specs) {
    const raw = texts[name];
    if (raw === undefined || isInjected([name, raw])) continue;
    const text = kind === 'secret' ? withoutLineEnd(raw) : raw.trim();
    if (/[\r\n]/.test(text)) faults.push({ setting: name, problem: 'holds a line end' });
    else if (/^(["']).*\1$/.test(text))
      faults.push({ setting: name, problem: 'stands in quotes, which would be part of it: leave them out' });
    // An empty text is one, but what is no text has then been left out.
    else if (text !== '' || isTextual(kind)) given[name] = text;
  }
  return given;
}

function isTextual(kind: SettingSpec['kind']): boolean {
  return ['text', 'secret', 'url', 'file', 'list', 'origins'].includes(kind);
}

const wholeNumber = /^\d{1,15}$/;
const duration = /^(\d{1,12})(ms|s|m|h|d)?$/;
const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

function readValue(one: SettingSpec, text: string): unknown {
  switch (one.kind) {
    case 'port':
      return whole(text, 65_535);
    case 'count':
    case 'bytes':
      return whole(text, Number.MAX_SAFE_INTEGER);
    case 'durationMs': {
      const parts = duration.exec(text);
      if (parts === null)
        throw new Error('must be a duration in milliseconds, or like 500ms, 30s, 5m, 1h, 90d');
      return Number(parts[1]) * (unitMs[parts[2] ?? 'ms'] ?? 1);
    }
    case 'list':
      return listOf(text);
    case 'origins':
      return listOf(text).map(readOrigin);
    case 'flag':
      if (text !== 'true' && text !== 'false') throw new Error('must be true or false');
      return text === 'true';
    case 'choice':
      if (!one.choices?.includes(text)) throw new Error(`must be one of ${one.choices?.join(', ')}`);
      return text;
    default:
      return text;
  }
}

function listOf(text: string): string[] {
  return text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}

function whole(text: string, max: number): number {
  if (!wholeNumber.test(text) || Number(text) > max)
    throw new Error(`must be a whole number from 0 to ${max}`);
  return Number(text);
}
