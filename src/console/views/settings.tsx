import { useState } from 'preact/hooks';
import { call, orgPath } from '../api/client.js';
import type { Org } from '../api/types.js';
import { numberText } from '../format.js';
import { ActionDialog } from '../parts/dialog.js';
import { Facts } from '../parts/facts.js';
import { SelectField, TextField } from '../parts/field.js';
import { Failure, Page, Waiting } from '../parts/page.js';
import { useOrg } from '../state/org.js';
import { may } from '../state/session.js';
import { tell } from '../state/toasts.js';
import { MachineRules } from './machine-rules.js';
import { explain, quotaIn } from './org-input.js';

type Settings = Org['settings'];
type Setting = 'quota' | 'licenseMode' | 'timeZone' | 'machines' | 'containers' | 'addresses';

interface SettingFace {
  readonly label: string;
  readonly hint: string;
  /** What an owner alone sets. */
  readonly isOwners?: true;
  readonly options?: readonly { readonly value: string; readonly label: string }[];
  readonly words: (value: string | number | null) => string;
}

const faces: Readonly<Record<Setting, SettingFace>> = {
  quota: {
    label: 'Quota',
    hint: 'How many licenses may be issued; empty for any number.',
    isOwners: true,
    words: (value) => (value === null ? 'none' : numberText(Number(value))),
  },
  licenseMode: {
    label: 'License mode',
    hint: 'What a user needs for a seat.',
    isOwners: true,
    options: [
      { value: '', label: 'as the broker is set' },
      { value: 'required', label: 'required: a license' },
      { value: 'auto', label: 'auto: the first sign-in issues one' },
      { value: 'open', label: 'open: no license' },
    ],
    words: (value) => String(value ?? 'as the broker is set'),
  },
  timeZone: {
    label: 'Time zone',
    hint: 'What a day is of, as Europe/Berlin; empty for UTC. No end that is set moves.',
    words: (value) => String(value ?? 'UTC'),
  },
  machines: {
    label: 'Machines',
    hint: 'Which machines come in.',
    options: [
      { value: '', label: 'any' },
      { value: 'listed', label: 'only those that are allowed below' },
    ],
    words: (value) => (value === 'listed' ? 'only those that are allowed below' : 'any'),
  },
  containers: {
    label: 'Containers',
    hint: 'They have no machine id that stays.',
    options: [
      { value: '', label: 'as the license mode says' },
      { value: 'allow', label: 'allowed' },
      { value: 'deny', label: 'denied' },
    ],
    words: (value) => String(value ?? 'as the license mode says'),
  },
  addresses: {
    label: 'Addresses',
    hint: 'Whether the history tells from where a session came.',
    options: [
      { value: '', label: 'not kept' },
      { value: 'keep', label: 'kept' },
    ],
    words: (value) => (value === 'keep' ? 'kept' : 'not kept'),
  },
};
const order = Object.keys(faces) as Setting[];

/** What the org has of its own, and its rules for machines. */
export function SettingsView({ org }: { readonly org: string }) {
  const { value, error, refresh } = useOrg();
  const [changing, setChanging] = useState<Setting | null>(null);
  return (
    <Page title="Settings" intro={`What holds for ${org}.`}>
      <Failure error={error} />
      <section class="card" aria-labelledby="settings">
        <h2 id="settings">Org</h2>
        {value === undefined ? (
          <Waiting />
        ) : (
          <Facts
            facts={order.map((name) => [faces[name].label, <Row key={name} {...rowOf(name, value)} />])}
          />
        )}
      </section>
      <MachineRules org={org} />
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
  const { label, hint, options } = faces[name];
  const [value, setValue] = useState(String(settings[name] ?? ''));

  async function save(): Promise<void> {
    const text = value.trim();
    const setting = text === '' ? null : name === 'quota' ? quotaIn(text) : text;
    await call('PATCH', orgPath(org), { body: { [name]: setting } }).catch(explain);
    tell(`${label} is ${faces[name].words(setting)} now.`);
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
