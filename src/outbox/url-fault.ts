import { AddressRefused, refusePrivateHost } from './addresses.js';

/** Why events cannot be posted to this URL; null: they can, as far as one sees without asking anybody. */
export function urlFault(text: string, allowPrivate: boolean): string | null {
  if (!URL.canParse(text)) return 'must be a URL like https://example.com/hooks';
  const url = new URL(text);
  if (url.protocol !== 'https:' && !(allowPrivate && url.protocol === 'http:'))
    return 'must begin with https://; plain http needs SOLESEAT_WEBHOOKS_TO_PRIVATE=true';
  if (url.username !== '' || url.password !== '')
    return 'must hold no user and password: the signature tells who posts';
  if (allowPrivate) return null;
  try {
    refusePrivateHost(url);
    return null;
  } catch (error) {
    if (!(error instanceof AddressRefused)) throw error;
    return `${error.message}; private networks need SOLESEAT_WEBHOOKS_TO_PRIVATE=true`;
  }
}
