/** The wire protocol `soleseat.v1` as tables and types, for programs that speak it without this library. */
export * from './close-codes.js';
export * from './messages.js';
