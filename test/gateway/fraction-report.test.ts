import { pino } from 'pino';
import { expect, it } from 'vitest';
import { FractionReport } from '../../src/gateway/fraction-report.js';

it('a field that was no whole number is logged once for each type, however often it comes', () => {
  const lines: string[] = [];
  const report = new FractionReport(pino({}, { write: (line: string) => lines.push(line) }));
  for (let i = 0; i < 3; i++) {
    report.report('token_expiring', ['inMs']);
    report.report('conflict', ['holder.since', 'inMs']);
  }
  const places = lines.map((line) => JSON.parse(line)).map(({ type, field }) => `${type} ${field}`);
  expect(places).toEqual(['token_expiring inMs', 'conflict holder.since', 'conflict inMs']);
});
