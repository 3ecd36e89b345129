/** A payload whose signature holds. */
export type TokenPayload = Readonly<Record<string, unknown>>;

/** Which claims of a client token say who somebody is. Each is a claim's name, or a dotted path to it. */
export interface ClaimMapping {
  /** In order: the first that is there counts. */
  readonly user: readonly string[];
  /** Null where tokens name no org. */
  readonly org: string | null;
  readonly name: string;
  /** The org of a token that names none, and the one meant among several; empty for none. */
  readonly defaultOrg: string;
}

/** What identity providers call them; `soleseat` is what a back end of one's own writes. */
export const claimPresets = {
  soleseat: { user: ['sub'], org: 'org', name: 'name' },
  keycloak: { user: ['sub'], org: 'organization', name: 'preferred_username' },
  entra: { user: ['oid'], org: 'tid', name: 'name' },
  auth0: { user: ['sub'], org: 'org_id', name: 'name' },
  okta: { user: ['uid', 'sub'], org: null, name: 'sub' },
} as const satisfies Record<string, Omit<ClaimMapping, 'defaultOrg'>>;

export type ClaimPreset = keyof typeof claimPresets;

export interface ClaimSettings {
  readonly claims: string;
  readonly claimUser: string;
  readonly claimOrg: string;
  readonly claimName: string;
  readonly defaultOrg: string;
}

/** The mapping that settings ask for: a preset, of which a single setting overrides its part. */
export function claimMapping(settings: ClaimSettings): ClaimMapping {
  const preset = claimPresets[settings.claims as ClaimPreset];
  return {
    user: settings.claimUser === '' ? preset.user : [settings.claimUser],
    org: settings.claimOrg === '' ? preset.org : settings.claimOrg,
    name: settings.claimName === '' ? preset.name : settings.claimName,
    defaultOrg: settings.defaultOrg,
  };
}

/** A claim by its name, or by a dotted path; names on the way may hold dots, as URLs do. Undefined for none and for null. */
export function claimAt(payload: TokenPayload, path: string): unknown {
  const value = Object.hasOwn(payload, path) ? payload[path] : deeper(payload, path);
  return value === null ? undefined : value;
}

function deeper(payload: TokenPayload, path: string): unknown {
  for (let dot = path.lastIndexOf('.'); dot > 0; dot = path.lastIndexOf('.', dot - 1)) {
    const name = path.slice(0, dot);
    const value = Object.hasOwn(payload, name) ? payload[name] : undefined;
    if (isClaims(value)) {
      const found = claimAt(value, path.slice(dot + 1));
      if (found !== undefined) return found;
    }
  }
  return undefined;
}

/**
 * What a claim names: itself, the elements of a list, the keys of an object. An object under the plain claim `org` is no
 * list of orgs, but somebody's mistake.
 */
export function namedBy(value: unknown, claim: string): readonly unknown[] {
  if (value === undefined) return [];
  if (Array.isArray(value)) return [...new Set(value.flatMap((one) => namedByOne(one, claim)))];
  return namedByOne(value, claim);
}

function namedByOne(value: unknown, claim: string): readonly unknown[] {
  return isClaims(value) && claim !== claimPresets.soleseat.org ? Object.keys(value) : [text(value)];
}

/** Whole numbers, which some issuers use for ids, are their digits. */
export function text(value: unknown): unknown {
  return Number.isSafeInteger(value) ? String(value) : value;
}

function isClaims(value: unknown): value is TokenPayload {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
