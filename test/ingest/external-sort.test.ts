/** Sorting on disk: whatever text the lines hold, in whatever run they end up. */
import { describe, expect, it } from 'vitest';
import { openSorter } from '../../shared/ingest/external-sort.ts';

describe('the external sort', () => {
  it('gives back lines whose text has line separators of any kind', async () => {
    const texts = ['a\u2028b', 'c\u2029d', 'e\nf', 'g\r\nh', 'i\u0085j', 'tab\tand "quotes"', '🜁'];
    const sorter = await openSorter<{ text: string }>(1);
    try {
      for (const [i, text] of texts.entries()) await sorter.add(String(texts.length - i), { text });
      for (let reading = 0; reading < 2; reading++) {
        const sorted: string[] = [];
        for await (const { text } of sorter.sorted()) sorted.push(text);
        expect(sorted).toEqual([...texts].reverse());
      }
    } finally {
      await sorter.close();
    }
  });

  it('keeps the order of equal keys over many runs', async () => {
    const sorter = await openSorter<number>(20);
    try {
      for (let i = 0; i < 200; i++) await sorter.add(String(i % 3), i);
      const sorted: number[] = [];
      for await (const value of sorter.sorted()) sorted.push(value);
      const expected = [0, 1, 2].flatMap((key) => [...Array(200).keys()].filter((i) => i % 3 === key));
      expect(sorted).toEqual(expected);
    } finally {
      await sorter.close();
    }
  });
});
