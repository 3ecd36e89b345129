import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { type Settings, settingsTable } from '../base/settings.js';
import type { Broker } from '../broker.js';
import {
  type Configuration,
  type ConfigurationSources,
  filesOf,
  loaders,
  readSettings,
} from './configuration.js';
import { CommandFailure } from './failure.js';

/** Kubernetes changes a mounted file by swapping a link, which no watch of the file sees: the content is compared. */
const LOOK_EVERY_MS = 5000;

/**
 * Reads settings and the files that they name anew: when asked to, and when the content of one has changed. What is wrong
 * then stays as it was, and the log says so. Never ends the process.
 */
export class Renewal {
  /** What the node runs with, but for what a renewal puts in place. */
  readonly #started: Settings;
  #settings: Settings;
  #files: readonly string[] = [];
  #contents = new Map<string, string>();
  #timer: NodeJS.Timeout | null = null;

  constructor(
    private readonly sources: ConfigurationSources,
    { settings }: Configuration,
    private readonly broker: Pick<Broker, 'renew' | 'log'>,
  ) {
    this.#started = settings;
    this.#settings = settings;
  }

  async start(): Promise<void> {
    this.#contents = await this.#look();
    this.#lookLater();
  }

  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  /** Reads everything anew. */
  renew(why: 'signal' | 'file'): void {
    const { broker } = this;
    const settings = this.#attempt(() => readSettings(this.sources)) ?? this.#settings;
    const load = loaders(this.#inPlace(settings));
    const keys = this.#attempt(load.keys);
    const adminKeys = this.#attempt(load.adminKeys);
    const ticketKeys = this.#attempt(load.ticketKeys);
    const tls = this.#attempt(load.tls);
    const redisTls = this.#attempt(load.redisTls);
    const isSameRedis = shown(this.#started, 'redisUrl') === shown(settings, 'redisUrl');
    const { redisUrl } = isSameRedis ? settings : this.#started;
    broker.renew({ keys, adminKeys, ticketKeys, tls, redisTls, redisUrl, logLevel: settings.logLevel });
    const waiting = changedBeyond(this.#settings, settings);
    if (waiting.length > 0)
      broker.log.warn({ settings: waiting }, 'these settings have changed, and apply from the next start on');
    this.#settings = settings;
    broker.log.info({ why }, 'settings, keys and certificates were read anew');
  }

  /** The sources of keys stay those of the start; a secret among them may be another one now. */
  #inPlace(settings: Settings): Settings {
    const { jwtSecret, adminJwtSecret } = this.#started;
    return {
      ...this.#started,
      jwtSecret: jwtSecret === '' ? '' : settings.jwtSecret,
      adminJwtSecret: adminJwtSecret === '' ? '' : settings.adminJwtSecret,
    };
  }

  /** Null, and a line in the log for each thing that is wrong. */
  #attempt<T>(read: () => T): T | null {
    return attempt(read, (problem) =>
      this.broker.log.warn({ problem }, 'not read anew: what was in place before stays'),
    );
  }

  #lookLater(): void {
    this.#timer = setTimeout(() => void this.#lookAgain(), LOOK_EVERY_MS).unref();
  }

  async #lookAgain(): Promise<void> {
    try {
      const contents = await this.#look();
      const hasChanged = [...contents].some(([file, hash]) => this.#contents.get(file) !== hash);
      this.#contents = contents;
      if (hasChanged) this.renew('file');
    } catch (error) {
      this.broker.log.error({ reason: String(error) }, 'settings could not be read anew');
    } finally {
      this.#lookLater();
    }
  }

  async #look(): Promise<Map<string, string>> {
    // A settings file that is away or half written names no files: those from before are looked at.
    this.#files =
      attempt(
        () => filesOf(this.sources, this.#settings),
        () => {},
      ) ?? this.#files;
    return new Map(
      await Promise.all(this.#files.map(async (file) => [file, await contentOf(file)] as const)),
    );
  }
}

/** Null for settings and files that are wrong, each fault told. */
function attempt<T>(read: () => T, tell: (problem: string) => void): T | null {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof CommandFailure)) throw error;
    error.message.split('\n').forEach(tell);
    return null;
  }
}

/** A digest, so that no secret is kept twice; empty for a file that cannot be read. */
async function contentOf(file: string): Promise<string> {
  try {
    return createHash('sha256')
      .update(await readFile(file))
      .digest('base64');
  } catch {
    return '';
  }
}

/** What a renewal puts in place itself. */
const renewable: ReadonlySet<string> = new Set(['logLevel', 'jwtSecret', 'adminJwtSecret']);

/** Names of settings that have changed and need a restart. */
function changedBeyond(before: Settings, after: Settings): readonly string[] {
  return Object.entries(settingsTable)
    .filter(([property]) => !renewable.has(property))
    .filter(([property]) => shown(before, property) !== shown(after, property))
    .map(([, { name }]) => name);
}

/** The user and the password in `REDIS_URL` are renewed; the rest of it is not. */
function shown(settings: Settings, property: string): string {
  const text = String(settings[property as keyof Settings]);
  return property === 'redisUrl' ? text.replace(/:\/\/[^@/?#]*@/, '://') : text;
}
