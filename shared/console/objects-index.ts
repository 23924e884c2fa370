/**
 * Where the lines of an execution's objects.ndjson are, by outcome and code: built by one reading, so that any page of a
 * file with a million lines is a few ranged reads. The file never changes once written, and so neither does its index.
 */
import type { ObjectLine } from '../ingest/report.ts';
import type { ObjectLocation, ObjectStore } from '../ports/object-store.ts';

/** Lines are counted by blocks of about this size. */
const BLOCK_BYTES = 128 * 1024;
const LINE_FEED = 10;

/** A block that holds lines of a group, and how many. */
export type BlockCount = readonly [block: number, lines: number];

export interface IndexedGroup {
  readonly outcome: string;
  /** Empty: ingested without remark. */
  readonly code: string;
  readonly count: number;
  readonly blocks: readonly BlockCount[];
}

export interface ObjectsIndex {
  readonly lines: number;
  readonly totalBytes: number;
  /** Where each block begins; blocks end where the next begins, always at a line's end. */
  readonly starts: readonly number[];
  readonly groups: readonly IndexedGroup[];
}

/** Its code; for what was ingested all the same, the first warning's. */
export const remarkOf = ({ code, warnings }: ObjectLine): string => code ?? warnings?.[0]?.code ?? '';

interface Growing {
  count: number;
  readonly blocks: [number, number][];
}

/** Reads every line once, in bounded memory. */
export async function buildIndex(chunks: AsyncIterable<Uint8Array>): Promise<ObjectsIndex> {
  const starts: number[] = [0];
  const groups = new Map<string, Growing>();
  let lines = 0;
  let at = 0;
  const add = (text: string, bytes: number) => {
    if (at - (starts.at(-1) as number) >= BLOCK_BYTES) starts.push(at);
    at += bytes;
    if (text === '') return;
    lines++;
    const line = JSON.parse(text) as ObjectLine;
    count(groups, `${line.outcome} ${remarkOf(line)}`, starts.length - 1);
  };
  for await (const { text, bytes } of textLines(chunks)) add(text, bytes);
  return {
    lines,
    totalBytes: at,
    starts,
    groups: [...groups].map(([name, { count: inAll, blocks }]) => {
      const space = name.indexOf(' ');
      return { outcome: name.slice(0, space), code: name.slice(space + 1), count: inAll, blocks };
    }),
  };
}

function count(groups: Map<string, Growing>, name: string, block: number): void {
  const group = groups.get(name) ?? { count: 0, blocks: [] };
  groups.set(name, group);
  group.count++;
  const last = group.blocks.at(-1);
  if (last?.[0] === block) last[1]++;
  else group.blocks.push([block, 1]);
}

interface TextLine {
  readonly text: string;
  /** With its line feed. */
  readonly bytes: number;
}

async function* textLines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<TextLine> {
  let rest: Uint8Array = new Uint8Array();
  for await (const chunk of chunks) {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    const end = bytes.lastIndexOf(LINE_FEED) + 1;
    yield* linesIn(bytes.subarray(0, end));
    rest = bytes.subarray(end);
  }
  yield* linesIn(rest);
}

/** The lines of bytes that begin at a line's begin. Pure. */
function* linesIn(bytes: Uint8Array): Generator<TextLine> {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let from = 0; from < buffer.length; ) {
    const feed = buffer.indexOf(LINE_FEED, from);
    const end = feed < 0 ? buffer.length : feed;
    yield { text: buffer.toString('utf8', from, end), bytes: (feed < 0 ? end : feed + 1) - from };
    from = end + 1;
  }
}

export interface Filter {
  readonly outcome?: string;
  readonly code?: string;
}

const isWanted = ({ outcome, code }: { outcome: string; code: string }, filter: Filter): boolean =>
  (filter.outcome === undefined || outcome === filter.outcome) &&
  (filter.code === undefined || code === filter.code);

/** How many lines each block has of what is wanted, in the file's order. Pure. */
export function blocksOf(index: ObjectsIndex, filter: Filter): BlockCount[] {
  const counts = new Map<number, number>();
  for (const group of index.groups.filter((one) => isWanted(one, filter)))
    for (const [block, lines] of group.blocks) counts.set(block, (counts.get(block) ?? 0) + lines);
  return [...counts].sort(([a], [b]) => a - b);
}

/** The lines of one block that are wanted. */
export async function readBlock(
  objects: Pick<ObjectStore, 'read'>,
  location: ObjectLocation,
  index: ObjectsIndex,
  block: number,
  filter: Filter & { readonly text?: string },
): Promise<ObjectLine[]> {
  const range = { start: index.starts[block] ?? 0, end: index.starts[block + 1] ?? index.totalBytes };
  const { bytes } = await objects.read(location, range);
  const text = filter.text?.toLowerCase();
  // Most blocks hold nothing that is searched for: one look at the whole block tells.
  if (text !== undefined && !new TextDecoder().decode(bytes).toLowerCase().includes(text)) return [];
  const found: ObjectLine[] = [];
  for (const { text: json } of linesIn(bytes)) {
    if (json === '') continue;
    const line = JSON.parse(json) as ObjectLine;
    const group = { outcome: line.outcome, code: remarkOf(line) };
    if (isWanted(group, filter) && (text === undefined || holds(line, text))) found.push(line);
  }
  return found;
}

/** The text, in lower case, is in its key, its UIDs or its reason. */
const holds = (line: ObjectLine, text: string): boolean =>
  [line.key, line.sopInstanceUID, line.seriesInstanceUID, line.studyInstanceUID, line.message].some((value) =>
    value?.toLowerCase().includes(text),
  );
