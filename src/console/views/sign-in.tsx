import { useEffect, useState } from 'preact/hooks';
import { Refusal } from '../api/client.js';
import { TextField } from '../parts/field.js';
import { signIn, signInNotice } from '../state/session.js';
import './sign-in.css';

/** Exchanges an admin token for a session of this browser. */
export function SignInView() {
  const [token, setToken] = useState('');
  const [error, setError] = useState('');
  const [isBusy, setBusy] = useState(false);

  useEffect(() => {
    document.title = 'Sign in · Soleseat';
  }, []);

  async function submit(event: Event): Promise<void> {
    event.preventDefault();
    if (isBusy) return;
    setBusy(true);
    setError('');
    await signIn(token.trim()).catch((failure: Error) => setError(wordsFor(failure)));
    setBusy(false);
    setToken('');
  }

  return (
    <main class="sign-in">
      <form onSubmit={submit}>
        <img src="./icon.svg" alt="" width="44" height="44" />
        <h1>Soleseat</h1>
        <p class="intro">One user, one live session.</p>
        {signInNotice.value !== '' && (
          <p class="notice" role="status">
            {signInNotice.value}
          </p>
        )}
        <TextField
          label="Admin token"
          type="password"
          value={token}
          onChange={setToken}
          isRequired
          placeholder="eyJ…"
          hint="Your back end signs it; it ends when the token does. The browser keeps it where no script can read it."
        />
        {error !== '' && (
          <p class="failure" role="alert">
            {error}
          </p>
        )}
        <button type="submit" class="button primary wide" aria-disabled={isBusy}>
          {isBusy ? 'Signing in…' : 'Sign in'}
        </button>
      </form>
    </main>
  );
}

function wordsFor(failure: Error): string {
  if (!(failure instanceof Refusal)) return failure.message;
  if (failure.status === 401) return 'This token is not accepted. It may have ended, or be one for clients.';
  if (failure.status === 429) return 'Too many failed attempts from here. Wait a minute, then try again.';
  return failure.message;
}
