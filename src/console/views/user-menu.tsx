import { useState } from 'preact/hooks';
import { Menu } from '../parts/menu.js';
import { go, hrefOf } from '../state/route.js';
import { may } from '../state/session.js';
import { ForgetDialog, RenameDialog, RevokeTokensDialog } from './user-dialogs.js';

/** What an admin may do with a user as a whole. */
export function UserMenu({ org, user, onDone }: { org: string; user: string; onDone: () => void }) {
  const [chosen, setChosen] = useState<'rename' | 'revoke' | 'forget' | null>(null);
  if (!may('admin')) return null;
  const close = () => setChosen(null);
  return (
    <>
      <Menu
        label={`Change the user ${user}`}
        items={[
          { label: 'Rename…', onChoose: () => setChosen('rename') },
          { label: 'Revoke tokens…', isDangerous: true, onChoose: () => setChosen('revoke') },
          { label: 'Forget…', isDangerous: true, onChoose: () => setChosen('forget') },
        ]}
      />
      {chosen === 'rename' && (
        <RenameDialog
          {...{ org, user }}
          onClose={close}
          onDone={(name) => go(hrefOf(org, 'users', name), { replace: true })}
        />
      )}
      {chosen === 'revoke' && <RevokeTokensDialog {...{ org, user }} onClose={close} onDone={onDone} />}
      {chosen === 'forget' && <ForgetDialog {...{ org, user }} onClose={close} onDone={onDone} />}
    </>
  );
}
