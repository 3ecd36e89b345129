import { useState } from 'preact/hooks';
import { call, orgPath } from '../api/client.js';
import type { Org } from '../api/types.js';
import { ActionDialog } from '../parts/dialog.js';
import { Facts } from '../parts/facts.js';
import { SelectField, TextField } from '../parts/field.js';
import { Failure, Page, Waiting } from '../parts/page.js';
import { useOrg } from '../state/org.js';
import { may } from '../state/session.js';
import { tell } from '../state/toasts.js';
import { MachineRules } from './machine-rules.js';
import { explain } from './org-input.js';
import { faces, orgFaces, ruleFaces, type Setting, type Settings } from './setting-faces.js';
import { Suspension } from './suspension.js';

const sections: readonly {
  readonly id: string;
  readonly title: string;
  readonly names: readonly Setting[];
}[] = [
  { id: 'settings', title: 'Org', names: Object.keys(orgFaces) as Setting[] },
  { id: 'seat-rules', title: 'Rules of a seat', names: Object.keys(ruleFaces) as Setting[] },
];

/** What the org has of its own, the rules of its seats, and those for machines. */
export function SettingsView({ org }: { readonly org: string }) {
  const { value, error, refresh } = useOrg();
  const [changing, setChanging] = useState<Setting | null>(null);
  return (
    <Page title="Settings" intro={`What holds for ${org}.`}>
      <Failure error={error} />
      {sections.map(({ id, title, names }) => (
        <section key={id} class="card" aria-labelledby={id}>
          <h2 id={id}>{title}</h2>
          {value === undefined ? (
            <Waiting />
          ) : (
            <Facts
              facts={names.map((name) => [faces[name].label, <Row key={name} {...rowOf(name, value)} />])}
            />
          )}
        </section>
      ))}
      <MachineRules org={org} />
      {value !== undefined && <Suspension org={org} value={value} onDone={refresh} />}
      {changing !== null && value !== undefined && (
        <ChangeDialog
          org={org}
          name={changing}
          settings={value.settings}
          onDone={refresh}
          onClose={() => setChanging(null)}
        />
      )}
    </Page>
  );

  function rowOf(name: Setting, { settings }: Org) {
    const mayChange = may(faces[name].isOwners ? 'owner' : 'admin');
    return { name, text: faces[name].words(settings[name]), mayChange, onChange: () => setChanging(name) };
  }
}

function Row(props: { name: Setting; text: string; mayChange: boolean; onChange: () => void }) {
  const { name, text, mayChange, onChange } = props;
  return (
    <span class="node-facts">
      {text}
      {mayChange && (
        <button
          type="button"
          class="button small"
          aria-label={`Change: ${faces[name].label}`}
          onClick={onChange}
        >
          Change
        </button>
      )}
    </span>
  );
}

function ChangeDialog(props: {
  readonly org: string;
  readonly name: Setting;
  readonly settings: Settings;
  readonly onDone: () => void;
  readonly onClose: () => void;
}) {
  const { org, name, settings, onDone, onClose } = props;
  const { label, hint, options, read, write = String, words } = faces[name];
  const before = settings[name];
  const [value, setValue] = useState(before === null ? '' : write(before));

  async function save(): Promise<void> {
    const text = value.trim();
    const setting = text === '' ? null : read === undefined ? text : read(text);
    await call('PATCH', orgPath(org), { body: { [name]: setting } }).catch(explain);
    tell(`${label}: ${words(setting as Settings[Setting])}.`);
    onDone();
  }

  return (
    <ActionDialog title={`${label} of ${org}`} confirm="Save" onConfirm={save} onClose={onClose}>
      {options === undefined ? (
        <TextField label={label} value={value} onChange={setValue} hint={hint} />
      ) : (
        <SelectField label={label} value={value} onChange={setValue} hint={hint} options={options} />
      )}
    </ActionDialog>
  );
}
