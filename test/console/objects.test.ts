/** Any page of an execution's objects: the same lines as reading them all, by ranges only. */
import { beforeAll, describe, expect, it } from 'vitest';
import { memoryObjectStore } from '../../shared/adapters/memory-object-store.ts';
import type { ObjectLine, ObjectsQuery } from '../../shared/console/api.ts';
import type { Backend } from '../../shared/console/backend.ts';
import { readExecution } from '../../shared/console/execution.ts';
import { readObjects } from '../../shared/console/objects.ts';
import { remarkOf } from '../../shared/console/objects-index.ts';
import { allLines } from '../../shared/ingest/ndjson.ts';
import { workKeys } from '../../shared/ingest/work-keys.ts';
import { THE_ONE, writeLargeExecution } from './large-execution.ts';

const OBJECTS = 3_000;
const ID = 'large-1';
let backend: Backend;
let lines: ObjectLine[];
const read = { whole: 0, ranges: 0 };

beforeAll(async () => {
  const objects = memoryObjectStore();
  await writeLargeExecution(objects, 'work', { executionId: ID, upload: 'large', objects: OBJECTS });
  lines = await allLines<ObjectLine>(objects, 'work', workKeys.objects(ID));
  const counting: typeof objects = {
    ...objects,
    read: (location, range) => {
      read.ranges++;
      return objects.read(location, range);
    },
    stream: (location, options) => {
      read.whole++;
      return objects.stream(location, options);
    },
  };
  const isForgotten = () => {
    throw Object.assign(new Error('gone'), { name: 'ExecutionDoesNotExist' });
  };
  backend = {
    workBucket: 'work',
    sfn: { send: async () => isForgotten() },
    deps: { objects: counting, executions: { arnOf: (id: string) => id } },
  } as unknown as Backend;
});

const wantedLines = ({ outcome, code, text }: ObjectsQuery) =>
  lines.filter(
    (line) =>
      (outcome === undefined || line.outcome === outcome) &&
      (code === undefined || remarkOf(line) === code) &&
      (text === undefined || line.key.includes(text)),
  );

describe('the objects of an execution', () => {
  it.each<ObjectsQuery>([
    {},
    { outcome: 'ingested', code: '' },
    { outcome: 'duplicate' },
    { outcome: 'rejected', code: 'NotP10' },
    { outcome: 'rejected', code: 'ElementTooLong' },
  ])('from any row on are the lines of the file: %j', async (query) => {
    const wanted = wantedLines(query);
    for (const from of [0, 1, 57, 400, wanted.length - 1, wanted.length].filter((row) => row >= 0)) {
      const page = await readObjects(backend, ID, { ...query, from, limit: 70 });
      expect(page.total).toBe(wanted.length);
      expect(page.objects).toEqual(wanted.slice(from, from + 70));
      expect(page.next).toBe(from + 70 < wanted.length && page.objects.length > 0 ? from + 70 : undefined);
    }
  });

  it('are found by a text, page after page, each once', async () => {
    for (const text of ['IM0000777', 'study 1/', 'IM00', 'not there']) {
      const found: ObjectLine[] = [];
      let from: number | undefined = 0;
      while (from !== undefined) {
        const page = await readObjects(backend, ID, { text, from });
        found.push(...page.objects);
        from = page.next;
      }
      expect(found).toEqual(wantedLines({ text }));
    }
    const [one] = (await readObjects(backend, ID, { text: 'im0000777' })).objects;
    expect(one?.key).toBe(lines[THE_ONE]?.key);
  });

  it('are read as a whole once, however many pages are asked for', () => {
    expect(read.whole).toBe(1);
    expect(read.ranges).toBeGreaterThan(20);
  });

  it('are told by outcome and code, also when Step Functions has forgotten the execution', async () => {
    const { status, groups, upload } = await readExecution(backend, ID);
    expect([status, upload]).toEqual(['FORGOTTEN', 'large']);
    const count = (outcome: string, code: string) => wantedLines({ outcome, code }).length;
    expect(groups.map(({ outcome, code, count }) => [outcome, code, count])).toEqual([
      ['rejected', 'NotP10', count('rejected', 'NotP10')],
      ['rejected', 'ElementTooLong', 1],
      ['ingested', '', count('ingested', '')],
      ['duplicate', '', count('duplicate', '')],
    ]);
  });
});
