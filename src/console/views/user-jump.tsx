import { useId, useState } from 'preact/hooks';
import { Icon } from '../parts/icon.js';
import { go, hrefOf } from '../state/route.js';
import '../parts/search-box.css';

/** Goes to a user's page by the exact name. */
export function UserJump({ org }: { readonly org: string }) {
  const [user, setUser] = useState('');
  const id = useId();
  return (
    <form
      class="search"
      onSubmit={(event) => {
        event.preventDefault();
        if (user.trim() !== '') go(hrefOf(org, 'users', user.trim()));
      }}
    >
      <label class="unseen" for={id}>
        Open a user
      </label>
      <Icon name="search" />
      <input
        id={id}
        type="search"
        value={user}
        placeholder="Open a user…"
        autoComplete="off"
        autoCapitalize="none"
        spellcheck={false}
        onInput={(event) => setUser(event.currentTarget.value)}
      />
    </form>
  );
}
