import { Type } from 'typebox';
import { licenseModes } from '../store/orgs.js';
import { count, from, nullable } from './schemas.js';

/** The settings of an org, as they go in and out. */
export const settingsFields = {
  quota: nullable(count('How many licenses may be issued; null: any number.')),
  licenseMode: nullable(
    Type.Enum([...licenseModes], { description: 'null: as SOLESEAT_LICENSE_MODE says.' }),
  ),
  containers: nullable(Type.Enum(['allow', 'deny'], { description: 'Whether containers come in.' })),
  machines: nullable(
    Type.Enum(['any', 'listed'], { description: 'listed: only machines with a rule allow.' }),
  ),
  addresses: nullable(
    Type.Enum(['keep'], { description: 'keep: the history tells from which address a session came.' }),
  ),
  timeZone: nullable(
    Type.String({
      maxLength: 64,
      description:
        'The IANA time zone that a day is of, as Europe/Berlin; null: UTC. No end that is set moves.',
    }),
  ),
  letterCase: nullable(
    Type.Enum(['ignore'], {
      description:
        'ignore: user names that differ in case only are one user. Refused while two users with a license or a seat differ only so.',
    }),
  ),
  maxActive: nullable(count('How many users may have a seat at once; null: any number.')),
  maxActiveOverdraft: nullable(
    Type.Integer({
      minimum: 0,
      maximum: 1000,
      description: 'By how many per cent more, which is counted and told.',
    }),
  ),
  minVersion: nullable(
    Type.Record(
      Type.String({ pattern: '^[^\\x00-\\x1f\\x7f]{1,128}$' }),
      Type.String({ pattern: '^\\d+(\\.\\d+)*$', maxLength: 64 }),
      {
        maxProperties: 32,
        additionalProperties: false,
        description: 'The least version of each program by its name, as `{"Editor": "4.2"}`; null: any.',
      },
    ),
  ),
  minVersionFrom: nullable(
    from('From when on older versions are refused; until then an event tells of them.'),
  ),
  askWaitMs: nullable(
    Type.Integer({
      minimum: 1000,
      maximum: 60_000,
      description: 'For how long a holder who is asked for the seat may think; null: 15 s.',
    }),
  ),
  askRefusal: nullable(
    Type.Enum(['final'], { description: 'final: after a no the seat cannot be taken over for a minute.' }),
  ),
  leaveMaxMs: nullable(
    Type.Integer({
      minimum: 1000,
      maximum: 366 * 86_400_000,
      description: 'For how long a seat may be taken along offline; null: it may not.',
    }),
  ),
  leaveReturn: nullable(
    Type.Enum(['bound'], {
      description:
        'bound: after an early return from a leave no other machine gets the seat until the ticket has ended; null: the program is trusted to delete the ticket.',
    }),
  ),
  sameMachine: nullable(
    Type.Enum(['share'], {
      description:
        'share: programs of one user on one machine hold one session together, 16 at most; null: a newer one takes the place of the older one.',
    }),
  ),
  idleLimitMs: nullable(
    Type.Integer({
      minimum: 1000,
      maximum: 30 * 86_400_000,
      description: 'For how long nobody may be at work before a session ends; null: for ever.',
    }),
  ),
};
