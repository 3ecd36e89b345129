import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ask } from '../support/admin.js';
import { Desktop } from '../support/desktop.js';
import { eventually } from '../support/eventually.js';
import { tokenFor } from '../support/node.js';
import { NodeProcess } from '../support/node-process.js';
import { useRedis } from '../support/redis.js';
import { TokenServer } from '../support/token-server.js';
import type { Program, Sight, Start } from './program.js';

/** Set by `npm run screenshots`: the pictures of docs/integrate.md are taken. */
const TAKES_PICTURES = process.env.UPDATE_SCREENSHOTS === '1';
const pictures = resolve(import.meta.dirname, '../../docs/images');
const WRITTEN =
  'Drawings of the bridge\n\n- ask Mary about the arches\n- the second pillar stands too far east\n- ';
/** Nothing but the test ends such a lease. */
const LONG = {
  SOLESEAT_LICENSE_MODE: 'required',
  SOLESEAT_LEASE_TTL_MS: '10m',
  SOLESEAT_RENEW_EVERY_MS: '2s',
};
const BRIEF = { ...LONG, SOLESEAT_LEASE_TTL_MS: '5s', SOLESEAT_RENEW_EVERY_MS: '1s' };

/** What a person goes through with an example program, the same with each of them. */
export function tellStory(name: string, open: (start: Start) => Promise<Program>): void {
  const redis = useRedis();
  const folder = mkdtempSync(join(tmpdir(), 'soleseat-example-'));
  const fileOf = (machine: string) => join(folder, `${machine}.txt`);
  let node: NodeProcess;
  let tokens: TokenServer;
  let program: Program;

  beforeAll(async () => {
    tokens = await TokenServer.start(() => tokenFor('ada'));
    node = await NodeProcess.start(redis.url, LONG);
    await issue();
    writeFileSync(fileOf('workstation'), WRITTEN);
    program = await start('workstation');
  });
  afterAll(async () => {
    await program?.close();
    await node?.stop();
    tokens.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  function start(machine: string): Promise<Program> {
    const url = `ws://127.0.0.1:${node.ports.public}`;
    return open({ url, tokenUrl: tokens.url, machine, file: fileOf(machine) });
  }

  async function restart(settings: Record<string, string>): Promise<void> {
    node = await NodeProcess.start(redis.url, settings, { ports: node.ports });
  }

  async function issue(): Promise<void> {
    const answer = await ask(node, 'POST', '/v1/admin/orgs/acme/licenses', { body: { user: 'ada' } });
    expect(answer.status).toBe(201);
  }

  async function revoke(): Promise<void> {
    const answer = await ask(node, 'POST', '/v1/admin/orgs/acme/licenses/ada/revoke', { body: {} });
    expect(answer.status).toBe(200);
  }

  async function picture(of: string): Promise<void> {
    if (!TAKES_PICTURES) return;
    mkdirSync(pictures, { recursive: true });
    await program.takePicture(join(pictures, `example-${name}-${of}.png`));
  }

  it('locks when the person starts it on another machine, says so, and unlocks on "Use here"', async () => {
    await unlocked(program);
    await program.type('paint');
    await sees(program, ({ text }) => text === `${WRITTEN}paint`);
    await picture('unlocked');

    const other = await start('laptop');
    await unlocked(other);
    const { cover, buttons } = await covered(program, 'You now use Notes on laptop');
    expect(cover?.[1]).toMatch(/^Since \d\d:\d\d\. Your text is saved\.$/);
    expect(buttons).toEqual(['Use here']);
    // Neither keys nor mouse reach what is covered.
    await program.typeOn(' with care');
    await program.tabBack();
    await program.typeOn('lost');
    await program.type('lost');
    expect(await program.look()).toMatchObject({ text: `${WRITTEN}paint`, cover });
    expect((await other.look()).cover).toBeNull();
    await picture('locked');

    await program.click('Use here');
    await unlocked(program);
    await covered(other, 'You now use Notes on workstation');
    await program.type(' it red');
    await sees(program, ({ text }) => text === `${WRITTEN}paint it red`);
    await other.close();
  });

  it('saves the work before it covers it', async () => {
    await program.type(' and');
    await sees(program, ({ text }) => text.endsWith('red and'));
    const phone = await Desktop.hello(node.ports.public, 'ada', 'phone');
    await covered(program, 'You now use Notes on phone');
    expect(readFileSync(fileOf('workstation'), 'utf8')).toBe(`${WRITTEN}paint it red and`);
    await program.click('Use here');
    await unlocked(program);
    expect((await phone.close()).code).toBe(4509);
  });

  it('goes on without a broker until the lease ends, and comes back when the person tries again', async () => {
    await node.kill();
    await sees(program, ({ head, cover }) => head.includes('Reconnecting …') && cover === null);
    await program.type(' soon');
    await sees(program, ({ text }) => text.endsWith('and soon'));

    await restart(BRIEF);
    await sees(program, ({ head, cover }) => !head.includes('Reconnecting …') && cover === null);
    await node.kill();
    const { buttons, head } = await covered(program, 'No connection to the license server');
    expect(buttons).toEqual(['Try again']);
    expect(head).not.toContain('Reconnecting …');
    await restart(LONG);
    // The program's own attempt may be the faster one: then the button is gone.
    await program.click('Try again').catch(() => {});
    await unlocked(program);
    expect((await program.look()).text).toMatch(/and soon$/);
  });

  it('says that the license is gone, and comes back when there is one again', async () => {
    await revoke();
    const first = await covered(program, 'Notes is locked');
    expect(first.cover?.join(' ')).toContain('The license was revoked.');
    await program.click('Try again');
    const { cover, buttons } = await covered(program, 'You have no license for Notes');
    expect(cover?.slice(1)).toEqual([
      'The license was revoked.',
      'Ask your license desk: licenses@example.com',
    ]);
    expect(buttons).toEqual(['Try again']);
    await picture('denied');
    await issue();
    await program.click('Try again');
    await unlocked(program);
    expect((await program.look()).text).toMatch(/and soon$/);
  });

  it('gives the seat back when its window is closed', async () => {
    const other = await start('lab');
    await unlocked(other);
    expect(await redis.client.exists('soleseat:{acme}:lease:ada')).toBe(1);
    await other.close();
    expect(await redis.client.exists('soleseat:{acme}:lease:ada')).toBe(0);
  });
}

/** Waits until the person sees that, and gives what else she sees. */
async function sees(program: Program, isIt: (sight: Sight) => boolean): Promise<Sight> {
  let last: Sight | undefined;
  const look = async () => {
    last = await program.look();
    return isIt(last) && last;
  };
  return (await eventually(look).catch((error: Error) => {
    throw new Error(`${error.message}\nit shows ${JSON.stringify(last)}`);
  })) as Sight;
}

function unlocked(program: Program): Promise<Sight> {
  return sees(program, ({ cover }) => cover === null);
}

function covered(program: Program, title: string): Promise<Sight> {
  return sees(program, ({ cover }) => cover?.[0] === title);
}
