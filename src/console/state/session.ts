import { computed, signal } from '@preact/signals';
import { call, onSignedOut, Refusal } from '../api/client.js';
import { type Identity, type Role, roles } from '../api/types.js';

const PATH = '/v1/admin/session';

/** Who is signed in; null: nobody; undefined: not known yet. */
export const identity = signal<Identity | null | undefined>(undefined);
/** What to say on the sign-in page beside the form. */
export const signInNotice = signal('');

const rank = computed(() => (identity.value ? roles.indexOf(roleOf(identity.value)) : -1));

/** Whether the person may do what needs this role. Only a courtesy: the server is who refuses. */
export function may(role: Role): boolean {
  return rank.value >= roles.indexOf(role);
}

/** In this version an admin of all orgs counts as an owner. */
function roleOf({ role, org }: Identity): Role {
  return role === 'admin' && org === null ? 'owner' : role;
}

onSignedOut(() => {
  if (identity.value) signInNotice.value = 'Your admin token has ended. Sign in with a new one.';
  identity.value = null;
});

/** Finds out whether the browser is signed in already. */
export async function recallSession(): Promise<void> {
  try {
    identity.value = await call<Identity>('GET', PATH);
  } catch (error) {
    identity.value = null;
    if (!(error instanceof Refusal && error.status === 401))
      signInNotice.value = String((error as Error).message);
  }
}

/** Exchanges the token for a cookie that scripts cannot read; the token itself is kept nowhere. */
export async function signIn(token: string): Promise<void> {
  identity.value = await call<Identity>('POST', PATH, { body: { token } });
  signInNotice.value = '';
}

export async function signOut(): Promise<void> {
  await call('DELETE', PATH);
  signInNotice.value = 'You are signed out.';
  identity.value = null;
}
