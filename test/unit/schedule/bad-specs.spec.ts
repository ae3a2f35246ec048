import { describe, expect, it } from '@jest/globals';
import { InvalidScheduleError } from '../../../lib/errors/invalid-schedule.error.js';
import { parseSpec } from '../../../lib/schedule/spec/parse-spec.js';

function faultOf(spec: unknown, timeZone?: string): InvalidScheduleError {
  try {
    parseSpec(spec, timeZone);
  } catch (error) {
    if (error instanceof InvalidScheduleError) return error;
    throw error;
  }
  throw new Error(`${String(spec)} was accepted`);
}

describe('A spec is refused, with the place of the fault,', () => {
  /** The caret stands under the place; the last part is in the message. */
  it.each<[why: string, spec: string, caret: string, message: string]>([
    ['when a value is too large', '0 25 * * *', '  ^', `'25' is no hour`],
    ['when a value is too small', '0 0 0 * *', '    ^', `'0' is no day of the month`],
    ['when a value is no number', '0 noon * * *', '  ^', `'noon' is no hour`],
    ['when a value has a tail', '0 5abc * * *', '  ^', `'5abc' is no hour`],
    ['when a value is negative', '0 0 * * -1', '        ^', `'-1' is no weekday`],
    ['when a value is broken', '0 1.5 * * *', '  ^', `'1.5' is no hour`],
    ['when a value of a list is wrong', '0,15,75 * * * *', '     ^', `'75' is no minute`],
    ['when a value of a list is missing', '0,,15 * * * *', '  ^', 'a value of the minute is missing'],
    ['when a list ends with a comma', '0, * * * *', '  ^', 'a value of the minute is missing'],
    ['when a range ends too late', '0 8-24 * * *', '    ^', `'24' is no hour`],
    ['when a range ends nowhere', '0 8- * * *', '  ^', `'8-' is no hour`],
    ['when a range ends before it begins', '0 22-4 * * *', '     ^', `ends with '4', before it begins`],
    ['when a range of weekdays does', '0 0 * * FRI-MON', '            ^', `ends with 'MON', before it begins`],
    ['when a range has three ends', '0 1-2-3 * * *', '  ^', `'1-2-3' is no hour`],
    ['when a star has a range', '0 *-3 * * *', '  ^', `'*-3' is no hour`],
    ['when a step is 0', '*/0 * * * *', '  ^', `'0' is no step of the minute`],
    ['when a step is too large', '0 */25 * * *', '    ^', 'A step is a number from 1 to 24.'],
    ['when a step is missing', '0 */ * * *', '  ^', `'*/' is no hour`],
    ['when a step stands alone', '/5 * * * *', '^', `'/5' is no minute`],
    ['when a month is misspelt', '0 0 1 JAM *', '      ^', `'JAM' is no month`],
    ['when a weekday is written out', '0 0 * * MONDAY', '        ^', `'MONDAY' is no weekday`],
    ['when a weekday is 8', '0 0 * * 1,8', '          ^', `'8' is no weekday`],
    ['when a month has a sixth Monday', '0 0 * * MON#6', '        ^', `'MON#6' is no weekday`],
    ['when the second weekday is none', '0 0 * * 9#2', '        ^', `'9' is no weekday`],
    ['when the last weekday is none', '0 0 * * L', '        ^', `'L' is no weekday`],
    ['when the nearest weekday is none', '0 0 32W * *', '    ^', `'32' is no day of the month`],
    ['when a hash is in the wrong field', '0 0 2#1 * *', '    ^', `'2#1' is no day of the month`],
    ['when an L is in the wrong field', 'L 0 * * *', '^', `'L' is no minute`],
    ['when a second is wrong', '60 0 0 * * *', '^', `'60' is no second`],
    [
      'when a fault stands behind a zone',
      'CRON_TZ=Europe/Berlin 0 25 * * *',
      '                        ^',
      `'25' is no hour`,
    ],
    ['when fields are missing', '0 0 * * ', '       ^', '4 of 5 fields'],
    ['when there is a year', '0 0 0 1 1 * 2027', '            ^', `'2027' is a field too many`],
    ['when its day never comes', '0 0 31 2 *', '    ^', `no month of this spec ever has the day '31'`],
    ['when its day comes in no such month', '0 0 31 4,6,9,11 *', '    ^', `ever has the day '31'`],
    ['when its nearest weekday never comes', '0 0 0 30W FEB ?', '      ^', `ever has the day '30W'`],
    ['when it is empty', '', '^', 'nothing is written'],
    ['when it is blank', ' \t ', '^', 'nothing is written'],
    ['when it is only a zone', 'TZ=UTC', '      ^', 'nothing is written'],
    [
      'when its zone is unknown',
      'CRON_TZ=Europe/Brelin 0 0 * * *',
      '        ^',
      `no time zone 'Europe/Brelin' is known`,
    ],
    ['when its zone is missing', 'TZ= 0 0 * * *', '   ^', `no time zone '' is known`],
    ['when it means the start of the process', '@reboot', '^', `'@reboot' is not known`],
    ['when it means now', ' @now', ' ^', `'@now' is not known`],
    ['when a nickname has a tail', '@daily 5', '       ^', `'5' after @daily`],
    ['when an interval is missing', '@every', '      ^', `'' is no time`],
    ['when an interval has no unit', '@every 10', '       ^', `'10' is no time`],
    ['when an interval has a strange unit', '@every 1h5x', '         ^', `'5x' is no time`],
    ['when an interval is negative', '@every -5s', '       ^', `'-5s' is no time`],
    ['when an interval has a tail', '@every 5s 6s', '          ^', `'6s' after @every`],
    ['when an interval is too short', '@every 999ms', '       ^', `'999ms' is too short`],
    ['when an interval is 0', '@every 0s', '       ^', `'0s' is too short`],
    ['when an interval is too long', '@every 9000h', '       ^', `'9000h' is too long`],
    [
      'when an interval is finer than a millisecond',
      '@every 1h1.0005s',
      '         ^',
      `'1.0005s' is not a whole number`,
    ],
    ['when it has two lines', '0 0 * * *\n0 1 * * *', '         ^', 'an unexpected character "\\n"'],
    ['when it has a null', '0 0 * * \0', '        ^', 'an unexpected character "\\u0000"'],
    ['when it has a space that is none', '0\u00a00 * * *', ' ^', 'an unexpected character'],
    ['when it has a digit that is none', '0 ٣ * * *', '  ^', 'an unexpected character'],
    ['when it is too long', `${'0,'.repeat(130)}0 * * * *`, `${' '.repeat(255)}^`, 'longer than 255 characters'],
  ])('%s: %j', (_why, spec, caret, message) => {
    const fault = faultOf(spec);
    expect(`${' '.repeat(fault.position ?? -1)}^`).toBe(caret);
    expect(fault.message).toContain(message);
    expect(fault).toMatchObject({ field: 'spec', value: spec });
  });

  it.each([undefined, null, 5, {}, ['* * * * *'], new Date(), Symbol('* * * * *')])(
    'when it is no text: %p',
    (spec) => {
      expect(faultOf(spec)).toMatchObject({ field: 'spec', value: spec, position: undefined });
    },
  );
});

describe('The error', () => {
  it('names the fault, its place, the spec and the cure', () => {
    expect(faultOf('0 25 * * *').message).toBe(
      `The schedule's spec cannot be used: '25' is no hour at position 2 (got '0 25 * * *'). ` +
        'Write 0-23, *, lists (1,5), ranges (1-5) and steps (*/5).',
    );
  });

  it.each(['', ' ', 'Europe/Brelin', '+02:00', 'local', 'UTC\n', '../../etc/passwd', 'A'.repeat(1_000)])(
    'names a time zone that does not exist: %j',
    (timeZone) => {
      const fault = faultOf('0 0 * * *', timeZone);
      expect(fault).toMatchObject({ field: 'timeZone', value: timeZone, position: undefined });
      expect(fault.message).toContain(`Use a name of the IANA database, such as 'Europe/Berlin'`);
    },
  );
});
