import type { ClientMessage, ConflictPolicy, Machine, MachineKind, ResumeRequest } from './messages.js';
import { textFault } from './text.js';

/** A message that breaks the protocol: answered with `error`, the third time with close 4500. */
export interface Violation {
  readonly code: 'bad_json' | 'bad_message';
  /** Names the field, for the programmer at the other end. Holds nothing the client sent. */
  readonly message: string;
}

export type Parsed<T> =
  | { readonly ok: true; readonly message: T }
  | { readonly ok: false; readonly violation: Violation };

const MAX_DEPTH = 16;
/** Of a machine's id and name, and of whatever else a client calls itself. */
export const MAX_NAME_BYTES = 128;
const MAX_TOKEN_BYTES = 8192;
const sessionIdForm = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const conflictPolicies: readonly string[] = ['takeover', 'deny', 'ask'] satisfies ConflictPolicy[];
const machineKinds: readonly string[] = ['physical', 'virtual', 'container'] satisfies MachineKind[];

/** Reads one client frame. Never throws. */
export function parseClientMessage(text: string): Parsed<ClientMessage> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return refuse('bad_json', 'the message is not JSON');
  }
  try {
    return { ok: true, message: readMessage(value) };
  } catch (fault) {
    if (fault instanceof Fault) return refuse('bad_message', fault.message);
    throw fault;
  }
}

/** Whether a string is a session id as the broker makes them (UUIDv7, RFC 9562). */
export function isSessionId(text: string): boolean {
  return sessionIdForm.test(text);
}

function refuse(
  code: Violation['code'],
  message: string,
): { readonly ok: false; readonly violation: Violation } {
  return { ok: false, violation: { code, message } };
}

/** Internal to this file: carries the first fault out of the nested readers. */
class Fault extends Error {}

type Fields = Readonly<Record<string, unknown>>;

function readMessage(value: unknown): ClientMessage {
  checkNesting(value, 0);
  const fields = objectAt(value, 'the message');
  const type = fields.type;
  switch (type) {
    case 'hello':
      return readHello(fields);
    case 'takeover':
    case 'activity':
    case 'release':
      only(fields, type, ['type']);
      return { type };
    case 'answer': {
      only(fields, type, ['type', 'yield', 'needMs']);
      if (typeof fields.yield !== 'boolean') throw new Fault('yield must be true or false');
      const answer = { type, yield: fields.yield } as const;
      return fields.needMs === undefined ? answer : { ...answer, needMs: integerAt(fields.needMs, 'needMs') };
    }
    case 'refresh':
      only(fields, type, ['type', 'token']);
      return { type, token: tokenAt(fields.token) };
    default:
      throw new Fault(typeof type === 'string' ? 'type is unknown' : 'type must be a string');
  }
}

function readHello(fields: Fields): ClientMessage {
  only(fields, 'hello', ['type', 'machine', 'onConflict', 'resume', 'client', 'token']);
  return {
    type: 'hello',
    machine: readMachine(fields.machine),
    ...(fields.onConflict !== undefined && {
      onConflict: oneOf(fields.onConflict, 'onConflict', conflictPolicies) as ConflictPolicy,
    }),
    ...(fields.resume !== undefined && { resume: readResume(fields.resume) }),
    ...(fields.client !== undefined && { client: readClient(fields.client) }),
    ...(fields.token !== undefined && { token: tokenAt(fields.token) }),
  };
}

function readMachine(value: unknown): Machine {
  const fields = objectAt(value, 'machine');
  only(fields, 'machine', ['id', 'name', 'os', 'kind']);
  return {
    id: nameAt(fields.id, 'machine.id'),
    ...(fields.name !== undefined && { name: nameAt(fields.name, 'machine.name') }),
    ...(fields.os !== undefined && { os: nameAt(fields.os, 'machine.os') }),
    ...(fields.kind !== undefined && {
      kind: oneOf(fields.kind, 'machine.kind', machineKinds) as MachineKind,
    }),
  };
}

function readResume(value: unknown): ResumeRequest {
  const fields = objectAt(value, 'resume');
  only(fields, 'resume', ['sessionId', 'epoch']);
  const { sessionId } = fields;
  if (typeof sessionId !== 'string' || !isSessionId(sessionId)) {
    throw new Fault('resume.sessionId must be a session id from a welcome');
  }
  return { sessionId, epoch: integerAt(fields.epoch, 'resume.epoch') };
}

function readClient(value: unknown): { name: string; version: string } {
  const fields = objectAt(value, 'client');
  only(fields, 'client', ['name', 'version']);
  return { name: nameAt(fields.name, 'client.name'), version: nameAt(fields.version, 'client.version') };
}

function objectAt(value: unknown, where: string): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Fault(`${where} must be an object`);
  return value as Fields;
}

function only(fields: Fields, where: string, known: readonly string[]): void {
  for (const name of Object.keys(fields)) {
    if (!known.includes(name))
      throw new Fault(`${where} has a field that is not known; it may have ${known.join(', ')}`);
  }
}

function nameAt(value: unknown, where: string): string {
  if (typeof value !== 'string') throw new Fault(`${where} must be a string`);
  const fault = textFault(value, MAX_NAME_BYTES);
  if (fault !== null) throw new Fault(`${where} ${fault}`);
  return value;
}

function tokenAt(value: unknown): string {
  if (typeof value !== 'string' || value === '') throw new Fault('token must be a string');
  if (value.length > MAX_TOKEN_BYTES) throw new Fault(`token is longer than ${MAX_TOKEN_BYTES} bytes`);
  return value;
}

function oneOf(value: unknown, where: string, known: readonly string[]): string {
  if (typeof value !== 'string' || !known.includes(value))
    throw new Fault(`${where} must be one of ${known.join(', ')}`);
  return value;
}

function integerAt(value: unknown, where: string): number {
  if (!Number.isSafeInteger(value) || (value as number) < 0)
    throw new Fault(`${where} must be a whole number below 2^53`);
  return value as number;
}

function checkNesting(value: unknown, depth: number): void {
  if (typeof value !== 'object' || value === null) return;
  if (depth >= MAX_DEPTH) throw new Fault(`the message is nested deeper than ${MAX_DEPTH}`);
  for (const [name, inner] of Object.entries(value)) {
    if (name === '__proto__' || name === 'constructor')
      throw new Fault('the message has a field that is not allowed');
    checkNesting(inner, depth + 1);
  }
}
