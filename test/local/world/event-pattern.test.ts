import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compilePattern } from '../../../local/world/event-pattern.ts';
import type { Json } from '../../../local/world/intrinsics.ts';

const event = {
  source: 'aws.s3',
  'detail-type': 'Object Created',
  detail: {
    bucket: { name: 'inbox' },
    object: { key: 'upload/a (1).dcm', size: 100 },
    tags: ['red', 'green'],
    empty: '',
    nothing: null,
    list: [
      { name: 'a', n: 1 },
      { name: 'b', n: 2 },
    ],
  },
};

describe('the pattern language', () => {
  const table: readonly [string, Json, boolean][] = [
    ['an exact value', { source: ['aws.s3'] }, true],
    ['one of several values', { source: ['x', 'aws.s3'] }, true],
    ['another value', { source: ['aws.s4'] }, false],
    ['every field', { source: ['aws.s3'], 'detail-type': ['Object Deleted'] }, false],
    ['nested fields', { detail: { bucket: { name: ['inbox'] } } }, true],
    ['a field that is not there', { detail: { nope: ['x'] } }, false],
    ['null', { detail: { nothing: [null] } }, true],
    ['an empty text', { detail: { empty: [''] } }, true],
    ['a number, not its text', { detail: { object: { size: ['100'] } } }, false],
    ['a list, when one item is wanted', { detail: { tags: ['green'] } }, true],
    ['a list of objects', { detail: { list: { name: ['b'] } } }, true],
    ['prefix', { detail: { object: { key: [{ prefix: 'upload/' }] } } }, true],
    [
      'prefix, any case',
      { detail: { object: { key: [{ prefix: { 'equals-ignore-case': 'UPLOAD/' } }] } } },
      true,
    ],
    ['suffix', { detail: { object: { key: [{ suffix: '.dcm' }] } } }, true],
    ['suffix, another', { detail: { object: { key: [{ suffix: '.zip' }] } } }, false],
    ['equals-ignore-case', { source: [{ 'equals-ignore-case': 'AWS.S3' }] }, true],
    ['wildcard', { detail: { object: { key: [{ wildcard: 'upload/*(1)*.dcm' }] } } }, true],
    ['wildcard with a star meant', { detail: { object: { key: [{ wildcard: 'upload\\*' }] } } }, false],
    ['anything-but a value', { source: [{ 'anything-but': 'aws.s3' }] }, false],
    ['anything-but a list', { source: [{ 'anything-but': ['a', 'b'] }] }, true],
    ['anything-but a prefix', { source: [{ 'anything-but': { prefix: 'aws.' } }] }, false],
    ['anything-but a missing field', { detail: { nope: [{ 'anything-but': 'x' }] } }, false],
    ['exists', { detail: { bucket: { name: [{ exists: true }] } } }, true],
    ['exists false, of a missing parent', { detail: { nope: { deeper: [{ exists: false }] } } }, true],
    ['numeric, between', { detail: { object: { size: [{ numeric: ['>', 0, '<=', 100] }] } } }, true],
    ['numeric, below', { detail: { object: { size: [{ numeric: ['<', 100] }] } } }, false],
    ['$or, one holds', { $or: [{ source: ['x'] }, { detail: { tags: ['red'] } }] }, true],
    ['$or, none holds', { source: ['aws.s3'], $or: [{ source: ['x'] }, { source: ['y'] }] }, false],
  ];
  it.each(table)('knows %s', (_name, pattern, matches) => {
    expect(compilePattern(pattern)(event)).toBe(matches);
  });

  it.each<[string, Json]>([
    ['an unknown operator', { source: [{ cidr: '10.0.0.0/8' }] }],
    ['a bare value', { source: 'aws.s3' }],
    ['an empty list', { source: [] }],
    ['an empty pattern', {}],
    ['numeric without a number', { size: [{ numeric: ['>', 'x'] }] }],
    ['exists with a text', { size: [{ exists: 'yes' }] }],
  ])('refuses %s, saying where', (_name, pattern) => {
    expect(() => compilePattern(pattern, 'Rule: EventPattern')).toThrow(/^Rule: EventPattern/);
  });

  it('matches any text exactly, whatever its characters', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (a, b) => {
        expect(compilePattern({ f: [{ wildcard: a.replace(/[\\*]/g, '\\$&') }] })({ f: b })).toBe(a === b);
      }),
      { verbose: 1 },
    );
  });
});
