import { closeCodes } from '#client/protocol/close-codes.js';
import { checks } from '../../kit/checks/table.js';
import { eventNames } from '../../protocol/event-types.js';
import type { Words } from './grammar.js';

/** Values that can be listed though commander takes any: older names of events stay valid, for one. */
export const completionWords: Words = {
  type: eventNames,
  reason: closeCodes.map(({ reason }) => reason),
  zone: Intl.supportedValuesOf('timeZone'),
  '--quota n': ['none'],
  time: ['now', 'never'],
  '--expires time': [],
  '--from time': [],
  '--until time': [],
  '--to time': [],
  '--overlap time': ['12h', '24h', '7d'],
  duration: ['15m', '1h', '12h', '0m'],
  '--types list': [...eventNames, 'all'],
  '--only id': checks.map(({ id }) => id),
};
