/**
 * The data set of a deflated object (PS3.5 A.5) as a source of its own. Small ones are held inflated; bigger ones are
 * inflated again as they are read on, so that memory stays flat. The size is bounded: a bomb is noticed, not filled in.
 */
import { createInflateRaw } from 'node:zlib';
import { type ByteSource, bufferSource } from './byte-source.ts';
import { DicomError } from './dicom-error.ts';

/** Compressed bytes that are read at once. */
const READ_BYTES = 1024 * 1024;
/** Inflated data sets up to this size are held in memory. */
const HELD_BYTES = 32 * 1024 * 1024;
/** Inflated bytes behind the reading position that stay readable. */
const KEPT_BYTES = 4 * 1024 * 1024;
/** How often reading may go back to the start: each costs as much as inflating everything. */
const MAX_RESTARTS = 16;

/**
 * Inflates everything from `start` on. Throws FileTooLarge above `maxBytes`, MalformedDataset when nothing comes out; a
 * broken or cut stream gives what came out before the break (the parser then says where the data set ends).
 */
export async function inflatedSource(
  source: ByteSource,
  start: number,
  maxBytes: number,
): Promise<ByteSource> {
  let held: Uint8Array[] = [];
  let total = 0;
  for await (const part of inflated(source, start)) {
    total += part.length;
    if (total > maxBytes) throw tooLarge(start, maxBytes);
    if (total <= HELD_BYTES) held.push(part);
    else held = [];
  }
  if (total === 0)
    throw new DicomError('MalformedDataset', `byte ${start}`, 'expected a deflated data set, got none');
  return total <= HELD_BYTES
    ? bufferSource(Buffer.concat(held, total))
    : new InflatingSource(source, start, total);
}

function tooLarge(start: number, maxBytes: number): DicomError {
  const problem = `expected at most ${maxBytes} bytes after inflating, got more`;
  return new DicomError('FileTooLarge', `byte ${start}`, problem, { limit: maxBytes });
}

/** Inflated parts in order; ends early, without an error, where the stream is broken. Errors of the source are thrown. */
async function* inflated(source: ByteSource, start: number): AsyncGenerator<Uint8Array> {
  const inflate = createInflateRaw({ chunkSize: 256 * 1024 });
  let failed: { readonly error: unknown } | undefined;
  const feed = async () => {
    for (let at = start; at < source.sizeBytes && !inflate.destroyed; at += READ_BYTES) {
      const chunk = await source.read(at, at + READ_BYTES);
      if (!inflate.destroyed && !inflate.write(chunk)) await drained(inflate);
    }
    if (!inflate.destroyed) inflate.end();
  };
  const fed = feed().catch((error: unknown) => {
    failed = { error };
    inflate.destroy();
  });
  try {
    for await (const part of inflate as AsyncIterable<Uint8Array>) yield part;
  } catch {
    // The compressed bytes are broken here: what came out before is all there is.
  } finally {
    inflate.destroy();
    await fed;
  }
  if (failed) throw failed.error;
}

const SETTLED = ['drain', 'close', 'error', 'end'];

function drained(stream: NodeJS.EventEmitter): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      for (const event of SETTLED) stream.removeListener(event, done);
      resolve();
    };
    for (const event of SETTLED) stream.on(event, done);
  });
}

/** Reads forward through the stream; a read of what lies behind starts it again. One read at a time. */
class InflatingSource implements ByteSource {
  readonly sizeBytes: number;
  private readonly source: ByteSource;
  private readonly start: number;
  private parts: AsyncGenerator<Uint8Array> | undefined;
  private kept: { readonly at: number; readonly bytes: Uint8Array }[] = [];
  private position = 0;
  private starts = 0;
  private last: Promise<unknown> = Promise.resolve();

  constructor(source: ByteSource, start: number, sizeBytes: number) {
    this.source = source;
    this.start = start;
    this.sizeBytes = sizeBytes;
  }

  read(start: number, end: number): Promise<Uint8Array> {
    const result = this.last.then(() => this.readNow(start, Math.min(end, this.sizeBytes)));
    this.last = result.catch(() => undefined);
    return result;
  }

  private async readNow(start: number, end: number): Promise<Uint8Array> {
    if (!this.parts || start < (this.kept[0]?.at ?? this.position)) await this.restart();
    const out = new Uint8Array(Math.max(0, end - start));
    for (const { at, bytes } of this.kept) copyOverlap(out, start, bytes, at);
    while (this.position < end) {
      const next = await this.parts?.next();
      if (!next || next.done) break;
      copyOverlap(out, start, next.value, this.position);
      this.kept.push({ at: this.position, bytes: next.value });
      this.position += next.value.length;
      while (this.kept.length > 1 && this.position - (this.kept[1]?.at ?? 0) > KEPT_BYTES) this.kept.shift();
    }
    return out;
  }

  private async restart(): Promise<void> {
    await this.parts?.return(undefined);
    if (++this.starts > MAX_RESTARTS)
      throw new DicomError(
        'FileTooLarge',
        `byte ${this.start}`,
        'a deflated data set too big to be read out of order',
      );
    this.parts = inflated(this.source, this.start);
    this.kept = [];
    this.position = 0;
  }
}

/** Copies what of `bytes`, which lie at `at`, falls into `out`, which lies at `start`. */
function copyOverlap(out: Uint8Array, start: number, bytes: Uint8Array, at: number): void {
  const from = Math.max(start, at);
  const to = Math.min(start + out.length, at + bytes.length);
  if (from < to) out.set(bytes.subarray(from - at, to - at), from - start);
}
