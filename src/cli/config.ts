import { fileNamesOf } from '../base/parse-settings.js';
import { withoutPasswords } from '../base/redis-url.js';
import { type SettingSpec, type SettingTexts, settingsTable } from '../base/settings.js';
import { type ConfigurationSources, gather, loadConfiguration } from './configuration.js';

/** `soleseat config check`: says whether `serve` would start with these settings. */
export function configCheck(sources: ConfigurationSources): void {
  loadConfiguration(sources);
  console.log('The settings are fine.');
}

/** `soleseat config print`: every setting with its value and where it is from; secrets are not shown. */
export function configPrint(sources: ConfigurationSources, options: { readonly json?: boolean }): void {
  const texts = gather(sources);
  const rows = Object.values(settingsTable).map((one) => describe(one, texts));
  if (options.json) {
    console.log(JSON.stringify(rows, null, 2));
    return;
  }
  const width = Math.max(...rows.map((row) => row.setting.length));
  for (const row of rows) console.log(`${row.setting.padEnd(width)}  ${row.value.padEnd(24)}  ${row.doc}`);
}

function describe(one: SettingSpec, texts: SettingTexts) {
  const given = texts[one.name];
  const fileName = fileNamesOf(one).find((name) => texts[name] !== undefined);
  if (fileName !== undefined)
    return { setting: one.name, value: `(from the file of ${fileName})`, isDefault: false, doc: one.doc };
  const value = given === undefined ? one.default : shown(one, given);
  return { setting: one.name, value, isDefault: given === undefined, doc: one.doc };
}

/** A setting as it may be shown. Whatever its kind, somebody may have written a user and a password into a URL. */
function shown({ name, kind }: SettingSpec, text: string): string {
  if (kind === 'secret') return '(set)';
  if (name === settingsTable.redisUrl.name) return withoutPasswords(text);
  return kind === 'url' || /:[/\\]|@/.test(text) ? text.split(',').map(plainUrl).join(',') : text;
}

/** A URL, or the item of a list, without a user, a password and values behind `?`. */
function plainUrl(text: string): string {
  const isPlain = /^[^@?#]*$/.test(text);
  if (isPlain) return text;
  if (!URL.canParse(text)) return '(malformed)';
  const { protocol, username, password, host, pathname, search, hash } = new URL(text);
  const hasUser = username !== '' || password !== '';
  if (host === '' || pathname.includes('@')) return '(malformed)';
  return `${protocol}//${hasUser ? '***@' : ''}${host}${pathname}${search === '' ? '' : '?***'}${hash === '' ? '' : '#***'}`;
}
