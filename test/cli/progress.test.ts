import { describe, expect, it } from 'vitest';
import { bytes, count, progressLine, seconds } from '../../cli/progress.ts';
import { table, wrap } from '../../cli/table.ts';
import { createTerminal } from '../../cli/terminal.ts';

describe('figures', () => {
  it.each([
    [0, '0'],
    [999, '999'],
    [1000, '1,000'],
    [1234567, '1,234,567'],
  ])('count(%d) is %s', (value, shown) => expect(count(value)).toBe(shown));

  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [1500, '1.5 kB'],
    [22_017_106, '22 MB'],
    [4_000_000_000, '4.0 GB'],
  ])('bytes(%d) is %s', (value, shown) => expect(bytes(value)).toBe(shown));

  it.each([
    [0.85, '850 ms'],
    [12.34, '12.3 s'],
    [250, '4 min 10 s'],
  ])('seconds(%d) is %s', (value, shown) => expect(seconds(value)).toBe(shown));
});

describe('a progress line', () => {
  it('shows stage, bar, counts, rate and the time left', () => {
    expect(progressLine('verify', 250, 1000, 5)).toBe(
      'verify    ██████░░░░░░░░░░░░░░░░░░  250/1,000  50/s  15 s left',
    );
  });

  it('shows no rate before there is one, and survives nothing to do', () => {
    expect(progressLine('wait', 0, 0, 0)).toBe('wait      ░░░░░░░░░░░░░░░░░░░░░░░░  0/0');
  });
});

describe('a table', () => {
  it('aligns columns, numbers to the right, colours take no room', () => {
    expect(
      table(
        [
          ['a', '1', 'x'],
          ['\u001b[31mbbb\u001b[39m', '1,000', 'y'],
        ],
        { right: [1] },
      ),
    ).toEqual(['a        1  x', '\u001b[31mbbb\u001b[39m  1,000  y']);
  });

  it('wraps sentences and never loses a word', () => {
    expect(wrap('one two three averyveryverylongword four', 9)).toEqual([
      'one two',
      'three',
      'averyveryverylongword',
      'four',
    ]);
  });
});

describe('a terminal', () => {
  const streams = (isTTY: boolean) => {
    const written = { out: '', err: '' };
    return {
      written,
      stdout: { write: (text: string) => (written.out += text), isTTY, columns: 80 },
      stderr: { write: (text: string) => (written.err += text), isTTY, columns: 80 },
    };
  };

  it('keeps progress away from stdout', () => {
    const s = streams(true);
    const terminal = createTerminal(s);
    terminal.progress('send  1/2');
    terminal.result('{"a":1}');
    terminal.endProgress('sent');
    expect(s.written.out).toBe('{"a":1}\n');
    expect(s.written.err).toContain('sent\n');
  });

  it('writes a line now and then where there is no terminal, and the last one of each stage', () => {
    const s = streams(false);
    let time = 0;
    const terminal = createTerminal(s, () => time);
    for (; time < 12_000; time += 100) terminal.progress(`send  ${time}`);
    terminal.endProgress('send  all');
    terminal.progress('import  0');
    expect(s.written.err.split('\n').filter(Boolean)).toEqual(['send  5000', 'send  10000', 'send  all']);
  });
});
