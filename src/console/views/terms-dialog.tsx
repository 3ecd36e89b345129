import { useState } from 'preact/hooks';
import type { AdminAnswers } from '../../protocol/admin-answers.js';
import { call, orgPath } from '../api/client.js';
import { dayIn } from '../format.js';
import { ActionDialog } from '../parts/dialog.js';
import { SelectField, TextField } from '../parts/field.js';
import { useTimeZone } from '../state/org.js';
import { tell } from '../state/toasts.js';
import type { ChangeProps } from './license-dialogs.js';
import { explain, wholeIn } from './org-input.js';

const exemptions = [
  { value: 'no', label: 'as for all' },
  { value: 'yes', label: 'none' },
];

/** When a license begins, its days of grace, what it is, and whether an idle limit holds for it. */
export function TermsDialog({
  org,
  license,
  onDone,
  onClose,
}: ChangeProps & { readonly onClose: () => void }) {
  const zone = useTimeZone();
  const before = license.startsAt === null || zone === undefined ? '' : dayIn(zone, license.startsAt);
  const [kind, setKind] = useState(license.kind ?? '');
  // Until somebody types, it is what it was: the zone of the org may not be known yet.
  const [typed, setStart] = useState<string | null>(null);
  const [grace, setGrace] = useState(String(license.graceDays));
  const [isExempt, setExempt] = useState(license.idleExempt ? 'yes' : 'no');

  async function save(): Promise<void> {
    const body = {
      kind: kind.trim() === '' ? null : kind.trim(),
      ...(typed !== null && { startsAt: typed === '' ? null : typed }),
      graceDays: wholeIn(grace, 'days of grace'),
      idleExempt: isExempt === 'yes',
    };
    const answer = await call<AdminAnswers['changeLicense']>(
      'PATCH',
      orgPath(org, 'licenses', license.user),
      {
        body,
      },
    ).catch(explain);
    tell(`The terms of the license of ${license.user} are saved.`);
    onDone(answer.license);
  }

  return (
    <ActionDialog
      title={`Terms of the license of ${license.user}`}
      confirm="Save"
      onConfirm={save}
      onClose={onClose}
    >
      <TextField
        label="Kind"
        value={kind}
        onChange={setKind}
        hint="What you call it, as trial; for reports."
      />
      <TextField
        label="First day"
        type="date"
        value={typed ?? before}
        onChange={setStart}
        hint="Before it nobody gets a seat by this license. Empty for at once."
      />
      <TextField
        label="Days of grace"
        value={grace}
        onChange={setGrace}
        hint="For how many days it holds after its end; the program tells."
      />
      <SelectField label="Idle limit" value={isExempt} onChange={setExempt} options={exemptions} />
    </ActionDialog>
  );
}
