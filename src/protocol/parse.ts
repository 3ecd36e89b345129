import type {
  ClientMessage,
  ConflictPolicy,
  Machine,
  MachineKind,
  ResumeRequest,
} from '#client/protocol/messages.js';
import { isLonger, textFault } from './text.js';

/** A message that breaks the protocol, or that only a later version understands. */
export interface Violation {
  readonly code: 'bad_json' | 'bad_message' | 'unsupported';
  /** Names the field, for the programmer at the other end. Holds nothing the client sent. */
  readonly message: string;
}

export type Parsed =
  | { readonly ok: true; readonly message: ClientMessage }
  | {
      readonly ok: false;
      readonly violation: Violation;
      /** Which message it would have been. Null where that cannot be told: no JSON, or no `type` in it. */
      readonly about: string | null;
    };

const MAX_DEPTH = 16;
/** Of a machine's id and name, and of whatever else a client calls itself. */
export const MAX_NAME_BYTES = 128;
const sessionIdForm = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const digitsForm = /^\d{1,16}$/;
const conflictPolicies: readonly string[] = ['takeover', 'deny', 'ask'] satisfies ConflictPolicy[];
const machineKinds: readonly string[] = ['physical', 'virtual', 'container'] satisfies MachineKind[];

/**
 * Reads one client frame. Never throws.
 *
 * v1 grows by addition: a field that is not known is ignored, `null` means "left out", and a type that is not known is
 * `unsupported` rather than bad [broker-ignore-unknown]. What is optional never refuses, where leaving it out is safe.
 */
export function parseClientMessage(text: string): Parsed {
  let about: string | null = null;
  try {
    const value: unknown = JSON.parse(text);
    checkNesting(value, 0);
    const fields = objectAt(value, 'the message');
    if (typeof fields.type !== 'string') throw new Fault('type must be a string');
    about = fields.type;
    return { ok: true, message: readMessage(about, fields) };
  } catch (fault) {
    if (fault instanceof Fault) {
      const { code, message } = fault;
      return { ok: false, violation: { code, message }, about };
    }
    if (!(fault instanceof SyntaxError)) throw fault;
    return { ok: false, violation: { code: 'bad_json', message: 'the message is not JSON' }, about };
  }
}

/** Whether a string is a session id as the broker makes them (UUIDv7, RFC 9562). */
export function isSessionId(text: string): boolean {
  return sessionIdForm.test(text);
}

/** Internal to this file: carries the first fault out of the nested readers. */
class Fault extends Error {
  constructor(
    message: string,
    readonly code: 'bad_message' | 'unsupported' = 'bad_message',
  ) {
    super(message);
  }
}

type Fields = Readonly<Record<string, unknown>>;

function readMessage(type: string, fields: Fields): ClientMessage {
  switch (type) {
    case 'hello':
      return readHello(fields);
    case 'takeover':
    case 'activity':
    case 'release':
      return { type };
    case 'answer': {
      if (typeof fields.yield !== 'boolean') throw new Fault('yield must be true or false');
      const answer = { type, yield: fields.yield } as const;
      return isLeftOut(fields.needMs) ? answer : { ...answer, needMs: integerAt(fields.needMs, 'needMs') };
    }
    case 'refresh':
      if (isLeftOut(fields.token)) throw new Fault('token is missing');
      return { type, token: stringAt(fields.token, 'token') };
    default:
      // [broker-unsupported]
      throw new Fault('this type of message is not supported', 'unsupported');
  }
}

function readHello(fields: Fields): ClientMessage {
  const { onConflict, resume, client, token, instance, attempt } = fields;
  const machine = readMachine(fields.machine);
  const instanceName = optionalNameAt(instance, 'instance');
  const wanted = isLeftOut(resume) ? null : readResume(resume);
  return {
    type: 'hello',
    machine,
    ...(instanceName !== null && { instance: instanceName }),
    ...(!isLeftOut(attempt) && { attempt: integerAt(attempt, 'attempt') }),
    ...(!isLeftOut(onConflict) && { onConflict: readConflictPolicy(onConflict) }),
    ...(wanted !== null && { resume: wanted }),
    ...(!isLeftOut(client) && { client: readClient(client) }),
    // Of any length: a token that is too long is refused by the one place that judges tokens.
    ...(!isLeftOut(token) && { token: stringAt(token, 'token') }),
  };
}

function readMachine(value: unknown): Machine {
  if (isLeftOut(value)) throw new Fault('machine is missing');
  const fields = objectAt(value, 'machine');
  const id = nameAt(fields.id, 'machine.id');
  const name = optionalNameAt(fields.name, 'machine.name');
  const os = optionalNameAt(fields.os, 'machine.os');
  const { kind } = fields;
  return {
    id,
    ...(name !== null && { name }),
    ...(os !== null && { os }),
    // A kind that a later version knows says nothing here.
    ...(typeof kind === 'string' && machineKinds.includes(kind) && { kind: kind as MachineKind }),
  };
}

function readConflictPolicy(value: unknown): ConflictPolicy {
  const text = stringAt(value, 'onConflict');
  if (!conflictPolicies.includes(text)) {
    throw new Fault(`onConflict may be ${conflictPolicies.join(', ')}`, 'unsupported');
  }
  return text as ConflictPolicy;
}

/** Null where it names no session that could be: the `hello` then is a new claim, as with an unknown session. */
function readResume(value: unknown): ResumeRequest | null {
  const fields = objectAt(value, 'resume');
  const sessionId = stringAt(fields.sessionId, 'resume.sessionId');
  return isSessionId(sessionId) ? { sessionId, epoch: readEpoch(fields.epoch) } : null;
}

/** A number, or its digits: JSON writers with 14 digits spoil the number. It decides nothing, so it refuses nothing. */
function readEpoch(value: unknown): number {
  const epoch = typeof value === 'string' && digitsForm.test(value) ? Number(value) : value;
  return Number.isSafeInteger(epoch) && (epoch as number) >= 0 ? (epoch as number) : 0;
}

function readClient(value: unknown): { name?: string; version?: string } {
  const fields = objectAt(value, 'client');
  const name = optionalNameAt(fields.name, 'client.name');
  const version = optionalNameAt(fields.version, 'client.version');
  return { ...(name !== null && { name }), ...(version !== null && { version }) };
}

/** Serialisers of Java, C#, Go and Python send null for what was never set. */
function isLeftOut(value: unknown): boolean {
  return value === undefined || value === null;
}

function objectAt(value: unknown, where: string): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Fault(`${where} must be an object`);
  return value as Fields;
}

function stringAt(value: unknown, where: string): string {
  if (typeof value !== 'string') throw new Fault(`${where} must be a string`);
  return value;
}

function nameAt(value: unknown, where: string): string {
  const text = stringAt(value, where);
  const fault = textFault(text, MAX_NAME_BYTES);
  if (fault !== null) throw new Fault(`${where} ${fault}`);
  return text;
}

/** Null where the text is left out, empty, or cannot be shown. A text that is too long is refused (PROTOCOL.md). */
function optionalNameAt(value: unknown, where: string): string | null {
  if (isLeftOut(value)) return null;
  const text = stringAt(value, where);
  if (isLonger(text, MAX_NAME_BYTES)) throw new Fault(`${where} is longer than ${MAX_NAME_BYTES} bytes`);
  return textFault(text, MAX_NAME_BYTES) === null ? text : null;
}

function integerAt(value: unknown, where: string): number {
  if (!Number.isSafeInteger(value) || (value as number) < 0)
    throw new Fault(`${where} must be a whole number from 0 to 2^53 - 1`);
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
