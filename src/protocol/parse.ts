import { clientMessages, type Field, type Fields } from '#client/protocol/message-table.js';
import type { ClientMessage } from '#client/protocol/messages.js';
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

/**
 * Reads one client frame, by the table of messages. Never throws.
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

type Values = Readonly<Record<string, unknown>>;

function readMessage(type: string, values: Values): ClientMessage {
  // [broker-unsupported]
  if (!isKnown(type)) throw new Fault('this type of message is not supported', 'unsupported');
  // The same table gives the type its fields.
  return { type, ...readFields(clientMessages[type].fields, values, '') } as ClientMessage;
}

function isKnown(type: string): type is ClientMessage['type'] {
  return Object.hasOwn(clientMessages, type);
}

/** Undefined where a field that must be there cannot be used: then the whole object counts as left out. */
function readFields(fields: Fields, values: Values, path: string): Values | undefined {
  const read: Record<string, unknown> = {};
  for (const name in fields) {
    const field = fields[name] as Field;
    const value = readField(field, values[name], path + name);
    if (value !== undefined) read[name] = value;
    else if (field.optional !== true) return undefined;
  }
  return read;
}

function readField(field: Field, value: unknown, where: string): unknown {
  if (field.kind === 'digits') return readDigits(value);
  if (isLeftOut(value)) {
    if (field.optional !== true) throw new Fault(`${where} is missing`);
    return undefined;
  }
  switch (field.kind) {
    case 'object':
      return readFields(field.fields, objectAt(value, where), `${where}.`);
    case 'name':
      return field.optional === true ? shownNameAt(value, where) : nameAt(value, where);
    case 'nonce':
      return nonceAt(value, where);
    case 'text':
      return stringAt(value, where);
    case 'sessionId': {
      const text = stringAt(value, where);
      return isSessionId(text) ? text : undefined;
    }
    case 'choice':
      return choiceAt(field, value, where);
    case 'whole':
      return integerAt(value, where);
    case 'boolean':
      if (typeof value !== 'boolean') throw new Fault(`${where} must be true or false`);
      return value;
  }
}

/** What a later version knows says nothing here, or is `unsupported`. */
function choiceAt(field: Extract<Field, { kind: 'choice' }>, value: unknown, where: string) {
  const isOne = (field.of as readonly unknown[]).includes(value);
  if (isOne || field.others === 'left out') return isOne ? value : undefined;
  stringAt(value, where);
  throw new Fault(`${where} may be ${field.of.join(', ')}`, 'unsupported');
}

/** A number, or its digits: JSON writers with 14 digits spoil the number. */
function readDigits(value: unknown): number {
  const number = typeof value === 'string' && digitsForm.test(value) ? Number(value) : value;
  return Number.isSafeInteger(number) && (number as number) >= 0 ? (number as number) : 0;
}

/** Serialisers of Java, C#, Go and Python send null for what was never set. */
function isLeftOut(value: unknown): boolean {
  return value === undefined || value === null;
}

function objectAt(value: unknown, where: string): Values {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Fault(`${where} must be an object`);
  return value as Values;
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

/** One of another length counts as left out: the program sees that no ticket came. */
function nonceAt(value: unknown, where: string): string | undefined {
  const text = stringAt(value, where);
  const isRight = text.length >= 16 && text.length <= 64 && textFault(text, MAX_NAME_BYTES) === null;
  return isRight ? text : undefined;
}

/** Undefined where the text is empty, or cannot be shown. A text that is too long is refused (PROTOCOL.md). */
function shownNameAt(value: unknown, where: string): string | undefined {
  const text = stringAt(value, where);
  if (isLonger(text, MAX_NAME_BYTES)) throw new Fault(`${where} is longer than ${MAX_NAME_BYTES} bytes`);
  return textFault(text, MAX_NAME_BYTES) === null ? text : undefined;
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
