import type { Command } from 'commander';
import type { AdminAnswers, RowOf } from '../../protocol/admin-answers.js';
import { MAX_NAME_BYTES } from '../../protocol/parse.js';
import { textFault } from '../../protocol/text.js';
import { CommandFailure, exitCodes } from '../failure.js';
import { type DeskOptions, deskFor, when, withDesk } from './desk.js';

type SeenMachine = RowOf<'listMachines'>;
type MachineRule = RowOf<'listMachineRules'>;

/** `soleseat machine …` */
export function registerMachines(program: Command): void {
  const machine = program.command('machine').description('machines of users, and which the org lets in');

  withDesk(machine.command('list [user]'))
    .description('the machines of a user, the last seen first; without a user, the org’s rules')
    .action(async (user: string | undefined, options: DeskOptions) => {
      const desk = await deskFor(options);
      if (user === undefined) {
        const { items: rules } = await desk.api.call<AdminAnswers['listMachineRules']>(
          'GET',
          desk.orgPath('machine-rules'),
        );
        const columns = {
          machine: (one: MachineRule) => one.machineId,
          rule: (one: MachineRule) => one.rule,
        };
        return desk.showRows(rules, columns, 'The org has no rules for machines.');
      }
      const { items: rows } = await desk.api.call<AdminAnswers['listMachines']>(
        'GET',
        desk.orgPath('machines', user),
      );
      const columns = {
        name: (one: SeenMachine) => one.name,
        'last seen': (one: SeenMachine) => when(one.lastSeen),
        'first seen': (one: SeenMachine) => when(one.firstSeen),
        times: (one: SeenMachine) => one.times,
        os: (one: SeenMachine) => one.os,
        kind: (one: SeenMachine) => one.kind,
        machine: (one: SeenMachine) => one.id,
        ...(rows.some(({ double }) => double) && {
          double: (one: SeenMachine) =>
            one.double && `${one.double.names.join(' and ')} at once, ${when(one.double.at)}`,
        }),
      };
      desk.showRows(rows, columns, `${user} has not been on any machine yet.`);
    });

  rule(machine, 'allow', 'let a machine in, also where only listed ones come in');
  rule(machine, 'deny', 'keep a machine out from its next attempt on');

  withDesk(machine.command('forget <machine>'))
    .description('take a machine off the lists')
    .action(async (machineId: string, options: DeskOptions) => {
      const desk = await deskFor(options);
      await desk.api.call('DELETE', desk.orgPath('machine-rules', machineId));
      desk.say(`${machineId} is on no list now`, { machineId, rule: null });
    });
}

function rule(machine: Command, name: 'allow' | 'deny', what: string): void {
  withDesk(machine.command(`${name} <machine>`))
    .description(what)
    .action(async (machineId: string, options: DeskOptions) => {
      const fault = textFault(machineId, MAX_NAME_BYTES);
      if (fault !== null) throw new CommandFailure(`<machine> ${fault}`, exitCodes.usage);
      const desk = await deskFor(options);
      await desk.api.call('PUT', desk.orgPath('machine-rules', machineId), { json: { rule: name } });
      desk.say(`${machineId} is on the ${name} list now`, { machineId, rule: name });
    });
}
