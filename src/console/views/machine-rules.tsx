import { useState } from 'preact/hooks';
import type { AdminAnswers, RowOf } from '../../protocol/admin-answers.js';
import { call, orgPath } from '../api/client.js';
import { Badge } from '../parts/badge.js';
import { ActionDialog } from '../parts/dialog.js';
import { SelectField, TextField } from '../parts/field.js';
import { Icon } from '../parts/icon.js';
import { Empty, Failure, Waiting } from '../parts/page.js';
import { type Column, Table } from '../parts/table.js';
import { useAnswer } from '../state/answer.js';
import { may } from '../state/session.js';
import { tell } from '../state/toasts.js';

type Rule = RowOf<'listMachineRules'>;

/** The machines that the org allows or denies by id. */
export function MachineRules({ org }: { readonly org: string }) {
  const path = orgPath(org, 'machine-rules');
  const { value, error, refresh } = useAnswer<AdminAnswers['listMachineRules']>(path);
  const [isAdding, setAdding] = useState(false);
  return (
    <section class="card flush below" aria-labelledby="rules">
      <div class="card-head">
        <h2 id="rules">Rules for machines</h2>
        {may('admin') && (
          <button type="button" class="button small" onClick={() => setAdding(true)}>
            <Icon name="add" /> Add rule
          </button>
        )}
      </div>
      <Failure error={error} />
      {value === undefined && error === null && <Waiting />}
      {value?.items.length === 0 && <Empty title="No machine is allowed or denied by its id" />}
      {value !== undefined && value.items.length > 0 && (
        <Table
          caption="Rules for machines"
          columns={columnsOf(org, refresh)}
          rows={value.items}
          keyOf={({ machineId }) => machineId}
        />
      )}
      {isAdding && <RuleDialog org={org} onDone={refresh} onClose={() => setAdding(false)} />}
    </section>
  );
}

function columnsOf(org: string, refresh: () => void): readonly Column<Rule>[] {
  const columns: Column<Rule>[] = [
    { head: 'Machine id', cell: ({ machineId }) => <code>{machineId}</code> },
    { head: 'Rule', cell: ({ rule }) => <Badge text={rule} tone={rule === 'deny' ? 'bad' : 'good'} /> },
  ];
  if (!may('admin')) return columns;
  const remove = (machineId: string) =>
    call('DELETE', orgPath(org, 'machine-rules', machineId)).then(
      () => {
        tell(`${machineId} is on no list now.`);
        refresh();
      },
      (error: Error) => tell(error.message, 'bad'),
    );
  const actions: Column<Rule> = {
    head: 'Actions',
    kind: 'actions',
    cell: ({ machineId }) => (
      <button
        type="button"
        class="button small"
        aria-label={`Take away the rule for ${machineId}`}
        onClick={() => void remove(machineId)}
      >
        Take away
      </button>
    ),
  };
  return [...columns, actions];
}

const rules = [
  { value: 'deny', label: 'deny: it gets no seat from its next attempt on' },
  { value: 'allow', label: 'allow: it comes in, also where only listed ones do' },
];

function RuleDialog(props: {
  readonly org: string;
  readonly onDone: () => void;
  readonly onClose: () => void;
}) {
  const { org, onDone, onClose } = props;
  const [machineId, setMachineId] = useState('');
  const [rule, setRule] = useState('deny');

  async function save(): Promise<void> {
    await call('PUT', orgPath(org, 'machine-rules', machineId.trim()), { body: { rule } });
    tell(`${machineId.trim()} is on the list now.`);
    onDone();
  }

  return (
    <ActionDialog title="A rule for a machine" confirm="Add rule" onConfirm={save} onClose={onClose}>
      <TextField label="Machine id" value={machineId} onChange={setMachineId} isRequired />
      <SelectField label="Rule" value={rule} onChange={setRule} options={rules} />
    </ActionDialog>
  );
}
