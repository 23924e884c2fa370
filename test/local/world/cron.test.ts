/** Schedules of rules against EventBridge's own examples and the calendar. */
import { describe, expect, it, test } from 'vitest';
import { parseCron } from '../../../local/world/cron.ts';
import { parseSchedule } from '../../../local/world/schedule.ts';

/** The first times after a moment, in ISO without seconds. */
function times(expression: string, after: string, count = 1): string[] {
  const next = parseCron(expression, 'Rule');
  const found: string[] = [];
  for (let at = Date.parse(after); found.length < count; ) {
    const due = next(at);
    if (due === undefined) break;
    found.push(new Date(due).toISOString().slice(0, 16));
    at = due;
  }
  return found;
}

test.each([
  ['each day at 10:15', 'cron(15 10 * * ? *)', '2026-11-25T10:15:00Z', ['2026-11-26T10:15']],
  ['working days at 18:00', 'cron(0 18 ? * MON-FRI *)', '2026-11-27T18:00:00Z', ['2026-11-30T18:00']],
  [
    'the first of each month',
    'cron(0 8 1 * ? *)',
    '2026-11-25T00:00:00Z',
    ['2026-12-01T08:00', '2027-01-01T08:00'],
  ],
  [
    'each ten minutes of working hours',
    'cron(0/10 8-9 ? * 2-6 *)',
    '2026-11-25T09:45:00Z',
    ['2026-11-25T09:50', '2026-11-26T08:00'],
  ],
  ['the last day of February', 'cron(0 0 L 2 ? *)', '2027-03-01T00:00:00Z', ['2028-02-29T00:00']],
  ['the last working day', 'cron(0 0 LW 10 ? *)', '2026-01-01T00:00:00Z', ['2026-10-30T00:00']],
  [
    'the working day nearest to the 1st, a Sunday',
    'cron(0 0 1W 11 ? *)',
    '2026-01-01T00:00:00Z',
    ['2026-11-02T00:00'],
  ],
  [
    'the working day nearest to the 1st, a Saturday',
    'cron(0 0 1W 8 ? *)',
    '2026-01-01T00:00:00Z',
    ['2026-08-03T00:00'],
  ],
  ['the second Tuesday', 'cron(0 9 ? * 3#2 *)', '2026-11-25T00:00:00Z', ['2026-12-08T09:00']],
  ['the last Friday', 'cron(0 9 ? * 6L *)', '2026-11-25T00:00:00Z', ['2026-11-27T09:00', '2026-12-25T09:00']],
  ['each Saturday', 'cron(0 9 ? * L *)', '2026-11-25T00:00:00Z', ['2026-11-28T09:00']],
  [
    'a list of months by name',
    'cron(0 0 31 JAN,Apr,mar ? *)',
    '2026-02-01T00:00:00Z',
    ['2026-03-31T00:00', '2027-01-31T00:00'],
  ],
  ['years that are over', 'cron(0 0 1 1 ? 2020-2022)', '2026-01-01T00:00:00Z', []],
  ['a day that no year has', 'cron(0 0 31 2 ? *)', '2026-01-01T00:00:00Z', []],
])('%s', (_what, expression, after, expected) => {
  expect(times(expression, after, Math.max(1, expected.length))).toEqual(expected);
});

describe('is refused by name', () => {
  test.each([
    'cron(0 9 * * * *)',
    'cron(0 9 ? * ? *)',
    'cron(0 9 * * ?)',
    'cron(60 9 * * ? *)',
    'cron(0 24 * * ? *)',
    'cron(0 9 0 * ? *)',
    'cron(0 9 ? * 8 *)',
    'cron(0 9 ? * 2#6 *)',
    'cron(5-1 9 * * ? *)',
    'cron(0/0 9 * * ? *)',
    'cron(a 9 * * ? *)',
    'rate(1 minutes)',
    'rate(2 minute)',
    'at(2026-01-01T00:00:00)',
  ])('%s', (expression) => {
    expect(() => parseSchedule(expression, 'SweepRule')).toThrow(/^SweepRule: expected .+, got /);
  });
});

it('ticks by rate from the start on, by cron at its time only', () => {
  expect(parseSchedule('rate(5 minutes)', 'R')).toMatchObject({ ticksAtStart: true });
  expect(parseSchedule('rate(5 minutes)', 'R').next(0)).toBe(300_000);
  expect(parseSchedule('cron(0 9 * * ? *)', 'R')).toMatchObject({ ticksAtStart: false });
});
