import { useState } from 'preact/hooks';
import type { License } from '../api/types.js';
import { Menu, type MenuItem } from '../parts/menu.js';
import { may } from '../state/session.js';
import { IssueDialog } from './issue-dialog.js';
import {
  type ChangeProps,
  ExpiryDialog,
  NoteDialog,
  StatusDialog,
  TransferDialog,
} from './license-dialogs.js';
import { TermsDialog } from './terms-dialog.js';

type Change = 'suspend' | 'reinstate' | 'revoke' | 'transfer' | 'expiry' | 'terms' | 'note' | 'again';

const labels: Readonly<Record<Change, string>> = {
  suspend: 'Suspend…',
  reinstate: 'Reinstate…',
  expiry: 'Change end date…',
  terms: 'Change terms…',
  note: 'Change note…',
  transfer: 'Transfer…',
  revoke: 'Revoke…',
  again: 'Issue again…',
};

const changesOf: Readonly<Record<License['status'], readonly Change[]>> = {
  active: ['suspend', 'expiry', 'terms', 'note', 'transfer', 'revoke'],
  suspended: ['reinstate', 'expiry', 'terms', 'note', 'transfer', 'revoke'],
  expired: ['expiry', 'terms', 'note', 'transfer', 'revoke'],
  revoked: ['again', 'note'],
};

/** What an admin may do with a license: a menu, and the dialog of what was chosen. */
export function LicenseChanges({ org, license, onDone }: ChangeProps) {
  const [chosen, setChosen] = useState<Change | null>(null);
  const changes = changesOf[license.status];
  if (!may('admin')) return null;
  const items: MenuItem[] = changes.map((change) => ({
    label: labels[change],
    isDangerous: change === 'revoke',
    onChoose: () => setChosen(change),
  }));
  const props = { org, license, onDone, onClose: () => setChosen(null) };
  return (
    <>
      <Menu label={`Change the license of ${license.user}`} items={items} />
      {(chosen === 'suspend' || chosen === 'reinstate' || chosen === 'revoke') && (
        <StatusDialog {...props} change={chosen} />
      )}
      {chosen === 'transfer' && <TransferDialog {...props} />}
      {chosen === 'expiry' && <ExpiryDialog {...props} />}
      {chosen === 'terms' && <TermsDialog {...props} />}
      {chosen === 'note' && <NoteDialog {...props} />}
      {chosen === 'again' && (
        <IssueDialog org={org} user={license.user} onDone={onDone} onClose={props.onClose} />
      )}
    </>
  );
}
