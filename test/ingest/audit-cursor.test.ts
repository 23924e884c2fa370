/** Which image sets an audit draws, and how far it has come. */
import { expect, it } from 'vitest';
import {
  type AuditCursor,
  createWatermark,
  isInWindow,
  nextWindow,
} from '../../shared/ingest/audit-cursor.ts';

const ids = Array.from({ length: 3_000 }, (_, i) => i.toString(16).padStart(32, '0'));

it.each([1, 7, 10, 30, 33, 50, 99, 100])(
  'at %s %% every image set is drawn within so many audits',
  (percent) => {
    const times = new Map(ids.map((id) => [id, 0]));
    let cursor: AuditCursor = { from: 0 };
    const audits = Math.ceil(100 / percent);
    for (let audit = 0; audit < audits; audit++) {
      const drawn = ids.filter((id) => isInWindow(cursor, percent, id));
      expect(Math.abs(drawn.length / ids.length - percent / 100)).toBeLessThan(0.04);
      for (const id of drawn) times.set(id, times.get(id)! + 1);
      cursor = nextWindow(cursor, percent);
    }
    expect(Math.min(...times.values())).toBe(1);
    expect(Math.max(...times.values())).toBeLessThanOrEqual(2);
  },
);

it('has come as far as no image set before is under way', () => {
  const walk = createWatermark();
  for (const [id, at] of [
    ['a', '1'],
    ['b', '2'],
    ['c', '3'],
  ] as const)
    walk.begin(id, at);
  expect(walk.reached()).toBeUndefined();
  walk.end('b');
  expect(walk.reached()).toBeUndefined();
  walk.end('a');
  expect(walk.reached()).toBe('2');
  walk.end('c');
  expect(walk.reached()).toBe('3');
});
