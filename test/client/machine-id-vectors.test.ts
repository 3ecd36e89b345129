import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { machineId, type SystemProbe } from '../../packages/client/src/machine-id.js';

/** A frozen id: the HMAC alone. */
interface IdVector {
  readonly application: string;
  readonly systemId: string;
  readonly id: string;
}
/** What a whole system says. `kind` and `id` are null where the system has no id of its own. */
interface SystemVector {
  readonly name: string;
  readonly system: NodeJS.Platform;
  readonly application: string;
  /** The output of each command line that succeeds. */
  readonly commands: Readonly<Record<string, string>>;
  readonly files: Readonly<Record<string, string>>;
  readonly environment: Readonly<Record<string, string>>;
  readonly kind: string | null;
  readonly id: string | null;
}

const vectors = JSON.parse(
  readFileSync(new URL('../../clients/machine-id-vectors.json', import.meta.url), 'utf8'),
) as readonly (IdVector | SystemVector)[];
const systems = vectors.filter((one): one is SystemVector => 'system' in one);
const ids = vectors.filter((one): one is IdVector => 'systemId' in one);

function probeOf({ system, environment, files, commands }: SystemVector): SystemProbe {
  const look = (texts: Readonly<Record<string, string>>, name: string) => {
    const text = texts[name];
    return text === undefined ? Promise.reject(new Error(`no ${name}`)) : Promise.resolve(text);
  };
  return {
    platform: system,
    environment,
    readText: (path) => look(files, path),
    exists: async (path) => files[path] !== undefined,
    run: (command, args) => look(commands, [command, ...args].join(' ')),
  };
}

// The libraries in the other languages are tested with the same file.
describe('the shared vectors of the machine id', () => {
  it.each(ids)('give $id for "$application" under $systemId', async ({ application, systemId, id }) => {
    // Only macOS takes an id of any form.
    const mac = { name: '', system: 'darwin' as const, application, files: {}, environment: {} };
    const commands = { 'ioreg -rd1 -c IOPlatformExpertDevice': `"IOPlatformUUID" = "${systemId}"` };
    const found = await machineId({ application }, probeOf({ ...mac, commands, kind: null, id }));
    expect(found.id).toBe(id);
  });

  it.each(systems)('$system: $name', async (vector) => {
    const found = machineId({ application: vector.application }, probeOf(vector));
    if (vector.id === null) await expect(found).rejects.toThrow('this system has no machine id');
    else expect(await found).toMatchObject({ id: vector.id, kind: vector.kind });
  });

  it('are there for every system', () => {
    expect(ids.length).toBeGreaterThan(3);
    expect([...new Set(systems.map(({ system }) => system))].sort()).toEqual(['darwin', 'linux', 'win32']);
  });
});
