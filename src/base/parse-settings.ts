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
  const values: Record<string, unknown> = {};
  // A provider's tokens name the provider.
  const derived: SettingTexts = texts.SOLESEAT_OIDC_ISSUER
    ? { SOLESEAT_JWT_ISSUER: texts.SOLESEAT_OIDC_ISSUER }
    : {};
  for (const [property, one] of Object.entries(settingsTable)) {
    try {
      values[property] = readValue(one, texts[one.name] ?? derived[one.name] ?? one.default);
    } catch (error) {
      faults.push({ setting: one.name, problem: (error as Error).message });
    }
  }
  if (faults.length > 0) return { ok: false, faults };
  return { ok: true, settings: values as Settings };
}

function unknownNames(texts: SettingTexts): string[] {
  const known = new Set<string>(Object.values(settingsTable).map((one) => one.name));
  // Kubernetes injects SOLESEAT_SERVICE_HOST, SOLESEAT_PORT_8080_TCP and the like for a service of this name.
  const injected =
    /^SOLESEAT(_[A-Z0-9]+)*_(SERVICE_(HOST|PORT)(_[A-Z0-9_]+)?|PORT(_\d+_(TCP|UDP)(_(PROTO|PORT|ADDR))?)?)$/;
  return Object.keys(texts).filter(
    (name) => name.startsWith('SOLESEAT_') && !known.has(name) && !injected.test(name),
  );
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
      return text
        .split(',')
        .map((item) => item.trim())
        .filter((item) => item !== '');
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

function whole(text: string, max: number): number {
  if (!wholeNumber.test(text) || Number(text) > max)
    throw new Error(`must be a whole number from 0 to ${max}`);
  return Number(text);
}
