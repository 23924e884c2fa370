/**
 * Object bytes: files with random names below `content/`, small ones in rows of the index. A file lives as long as its
 * row `f` does; a file without one is an orphan of a crash and swept at the next start.
 */
import { randomBytes } from 'node:crypto';
import {
  close,
  closeSync,
  constants,
  copyFile,
  link,
  mkdirSync,
  open,
  openSync,
  read,
  readdir,
  readSync,
  statfsSync,
  unlink,
} from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { ClassicLevel } from 'classic-level';
import { type Digest, digestsOf } from '../checksums.ts';
import { ContentWriter } from './content-writer.ts';
import { rows, type Segment } from './records.ts';

const linkFile = promisify(link);
const copyAll = promisify(copyFile);
const unlinkFile = promisify(unlink);
const openFile = promisify(open);
const closeFile = promisify(close);
const listFolder = promisify(readdir);

/** Up to this size the bytes are a row of the index: one write, no file. */
const INLINE_BYTES = 4096;
/**
 * Size of the reused buffers. What fits one (a CT slice of 512 × 512 × 16 bit does) is opened and read at once: out of
 * the system's cache that is 0.1 ms, less than the trips to the thread pool cost.
 */
const READ_BYTES = 640 * 1024;
/** Kept free, so that the index can always record a deletion (LevelDB's log and one compaction). */
const RESERVED_BYTES = 16 * 1024 ** 2;
const SPARE_BUFFERS = 32;
const FILES_HELD_OPEN = 64;

export type Row =
  | { type: 'put'; key: string; value: unknown; valueEncoding: 'json' | 'view' }
  | { type: 'del'; key: string };

/** New content. `rows` belong into the batch that commits whatever refers to it; then, or in place of it, settle. */
export interface NewContent {
  readonly segments: readonly Segment[];
  readonly rows: readonly Row[];
}

export class ContentStore {
  readonly #folder: string;
  readonly #db: ClassicLevel<string, unknown>;
  readonly #writer = new ContentWriter();
  /** Files that exist and have no row yet. */
  readonly #unsettled = new Set<string>();
  readonly #spare: Buffer[] = [];

  constructor(dataDir: string, db: ClassicLevel<string, unknown>) {
    this.#folder = join(dataDir, 'content');
    this.#db = db;
    for (let n = 0; n < 256; n++) mkdirSync(join(this.#folder, hexByte(n)), { recursive: true });
  }

  /** Takes in `sizeBytes` of `chunks` (the caller has checked that there are as many), with base64 digests. */
  async receive(
    chunks: AsyncIterable<Uint8Array>,
    sizeBytes: number,
    digests: readonly Digest[],
  ): Promise<NewContent & { digests: Record<string, string> }> {
    this.checkRoom(sizeBytes);
    const id = randomBytes(16).toString('hex');
    const segments = [{ id, size: sizeBytes }];
    if (sizeBytes <= INLINE_BYTES) {
      const bytes = await gather(chunks);
      return { segments, rows: [inlineRow(id, bytes)], digests: digestsOf(bytes, digests) };
    }
    this.#unsettled.add(id);
    try {
      const computed = await this.#writer.write(this.#path(id), chunks, digests);
      return { segments, rows: [fileRow(id)], digests: computed };
    } catch (error) {
      this.#unsettled.delete(id);
      throw error;
    }
  }

  /** The same content once more: hard links, so no bytes are copied. (Where the file system has none, they are.) */
  async share(segments: readonly Segment[]): Promise<NewContent> {
    this.checkRoom(0);
    const made = { segments: [] as Segment[], rows: [] as Row[] };
    try {
      for (const segment of segments) {
        const copy = { id: randomBytes(16).toString('hex'), size: segment.size };
        if (segment.size <= INLINE_BYTES) made.rows.push(inlineRow(copy.id, this.#inline(segment)));
        else {
          this.#unsettled.add(copy.id);
          made.rows.push(fileRow(copy.id));
          await linkOrCopy(this.#path(segment.id), this.#path(copy.id));
        }
        made.segments.push(copy);
      }
      return made;
    } catch (error) {
      await this.discard(made);
      throw error;
    }
  }

  /** After the commit: the rows hold the files from here on. */
  settle(content: NewContent): void {
    for (const { id } of content.segments) this.#unsettled.delete(id);
  }

  /** Instead of a commit: nothing refers to it, away with it. */
  async discard(content: Pick<NewContent, 'segments'>): Promise<void> {
    await this.remove(content.segments);
    for (const { id } of content.segments) this.#unsettled.delete(id);
  }

  /** Rows that belong into the batch which drops the last reference; then `remove`. */
  dropRows(segments: readonly Segment[]): Row[] {
    return segments.map(({ id, size }) => ({
      type: 'del',
      key: size <= INLINE_BYTES ? rows.inline(id) : rows.file(id),
    }));
  }

  /** Removes the files. Readers that have one open read on. */
  async remove(segments: readonly Segment[]): Promise<void> {
    for (const { id, size } of segments) {
      if (size > INLINE_BYTES) await unlinkFile(this.#path(id)).catch(ignoreMissing);
    }
  }

  /** Digests over all the segments, computed by reading them (off the main thread). */
  digest(segments: readonly Segment[], digests: readonly Digest[]): Promise<Record<string, string>> {
    const pieces = segments.map((s) => (s.size <= INLINE_BYTES ? this.#inline(s) : this.#path(s.id)));
    return this.#writer.digest(pieces, digests);
  }

  /** Opens what bytes `start` to `end` (exclusive) need. Throws ENOENT when the object has just been replaced. */
  async open(segments: readonly Segment[], start: number, end: number): Promise<OpenContent> {
    const pieces: OpenPiece[] = [];
    let offset = 0;
    try {
      for (const segment of segments) {
        const from = Math.max(start, offset) - offset;
        const to = Math.min(end, offset + segment.size) - offset;
        offset += segment.size;
        if (from >= to) continue;
        if (segment.size <= INLINE_BYTES)
          pieces.push({ bytes: this.#inline(segment).subarray(from, to), from, to });
        else pieces.push({ path: this.#path(segment.id), from, to });
      }
      // An open file outlives its removal. A multipart object of 10,000 parts must not take as many descriptors.
      for (const piece of pieces.slice(0, FILES_HELD_OPEN)) {
        if (piece.path === undefined) continue;
        piece.fd = isSmall(piece) ? openSync(piece.path, 'r') : await openFile(piece.path, 'r');
      }
    } catch (error) {
      await new OpenContent(pieces, this.#spare).close();
      throw error;
    }
    return new OpenContent(pieces, this.#spare);
  }

  /** Removes files without a row. Run once after opening; requests may come meanwhile. */
  async sweep(): Promise<number> {
    let removed = 0;
    for (let n = 0; n < 256; n++) {
      const prefix = hexByte(n);
      const files = await listFolder(join(this.#folder, prefix));
      if (files.length === 0) continue;
      const known = new Set<string>();
      for await (const key of this.#db.keys({ gte: rows.file(prefix), lt: rows.file(`${prefix}g`) })) {
        known.add(key.slice(rows.file('').length));
      }
      for (const id of files) {
        if (known.has(id) || this.#unsettled.has(id) || this.#db.getSync(rows.file(id)) !== undefined)
          continue;
        await unlinkFile(join(this.#folder, prefix, id)).catch(ignoreMissing);
        removed++;
      }
    }
    return removed;
  }

  /** Throws ENOSPC when `sizeBytes` and the reserve do not fit: before anything is written. */
  checkRoom(sizeBytes: number): void {
    const { bavail, bsize } = statfsSync(this.#folder);
    if (bavail * bsize >= sizeBytes + RESERVED_BYTES) return;
    throw Object.assign(new Error('too little room on the disk'), { code: 'ENOSPC' });
  }

  close(): Promise<void> {
    return this.#writer.close();
  }

  #path(id: string): string {
    return join(this.#folder, id.slice(0, 2), id);
  }

  #inline(segment: Segment): Uint8Array {
    const bytes = this.#db.getSync<string, Uint8Array>(rows.inline(segment.id), { valueEncoding: 'view' });
    if (bytes === undefined) throw Object.assign(new Error('content is gone'), { code: 'ENOENT' });
    return bytes;
  }
}

interface OpenPiece {
  readonly bytes?: Uint8Array;
  readonly path?: string;
  fd?: number;
  readonly from: number;
  readonly to: number;
}

/** A range of an object, ready to be read once. */
export class OpenContent {
  readonly #pieces: OpenPiece[];
  readonly #spare: Buffer[];

  constructor(pieces: OpenPiece[], spare: Buffer[]) {
    this.#pieces = pieces;
    this.#spare = spare;
  }

  /** Hands each piece of bytes to `take`, which may hold it until its promise resolves: reading goes on meanwhile. */
  async pump(take: (bytes: Uint8Array) => Promise<void>): Promise<void> {
    const buffers = [this.#buffer()];
    let taken: Promise<void> = Promise.resolve();
    let turn = 0;
    try {
      for (const piece of this.#pieces) {
        if (piece.bytes) {
          await taken;
          taken = take(piece.bytes);
          continue;
        }
        piece.fd ??= await openFile(piece.path!, 'r');
        for (let at = piece.from; at < piece.to; ) {
          buffers[turn] ??= this.#buffer();
          const buffer = buffers[turn]!;
          const wanted = Math.min(buffer.length, piece.to - at);
          const length = isSmall(piece)
            ? readNow(piece.fd, buffer, wanted, at)
            : await readSome(piece.fd, buffer, wanted, at);
          await taken;
          taken = take(buffer.subarray(0, length));
          at += length;
          turn = 1 - turn;
        }
        await this.#closePiece(piece);
      }
      await taken;
    } finally {
      await taken.catch(() => undefined);
      this.#spare.push(...buffers.slice(0, Math.max(0, SPARE_BUFFERS - this.#spare.length)));
      await this.close();
    }
  }

  /** The bytes, pulled; each chunk is good until the next is asked for. */
  async *chunks(): AsyncGenerator<Uint8Array> {
    const buffer = this.#buffer();
    try {
      for (const piece of this.#pieces) {
        if (piece.bytes) yield piece.bytes;
        else yield* this.#fileChunks(piece, buffer);
      }
    } finally {
      if (this.#spare.length < SPARE_BUFFERS) this.#spare.push(buffer);
      await this.close();
    }
  }

  async *#fileChunks(piece: OpenPiece, buffer: Buffer): AsyncGenerator<Uint8Array> {
    piece.fd ??= await openFile(piece.path!, 'r');
    for (let at = piece.from; at < piece.to; ) {
      const length = await readSome(piece.fd, buffer, Math.min(buffer.length, piece.to - at), at);
      yield buffer.subarray(0, length);
      at += length;
    }
    await this.#closePiece(piece);
  }

  async close(): Promise<void> {
    for (const piece of this.#pieces) await this.#closePiece(piece);
  }

  async #closePiece(piece: OpenPiece): Promise<void> {
    const { fd } = piece;
    if (fd === undefined) return;
    delete piece.fd;
    if (isSmall(piece)) closeSync(fd);
    else await closeFile(fd);
  }

  #buffer(): Buffer {
    return this.#spare.pop() ?? Buffer.allocUnsafeSlow(READ_BYTES);
  }
}

const isSmall = ({ from, to }: OpenPiece) => to - from <= READ_BYTES;

function readNow(fd: number, buffer: Buffer, length: number, position: number): number {
  const count = readSync(fd, buffer, 0, length, position);
  if (count === 0) throw new Error('a content file is shorter than its entry says');
  return count;
}

function readSome(fd: number, buffer: Buffer, length: number, position: number): Promise<number> {
  return new Promise((resolve, reject) => {
    read(fd, buffer, 0, length, position, (error, count) => {
      if (error) reject(error);
      else if (count === 0) reject(new Error('a content file is shorter than its entry says'));
      else resolve(count);
    });
  });
}

async function gather(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const chunk of chunks) parts.push(chunk);
  return Buffer.concat(parts);
}

async function linkOrCopy(from: string, to: string): Promise<void> {
  try {
    await linkFile(from, to);
  } catch (error) {
    // ENOENT: replaced meanwhile. EPERM, ENOTSUP, EMLINK …: this file system cannot.
    if (['ENOENT', 'ENOSPC', 'EDQUOT'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
    await copyAll(from, to, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
  }
}

const hexByte = (n: number): string => n.toString(16).padStart(2, '0');
const fileRow = (id: string): Row => ({ type: 'put', key: rows.file(id), value: 1, valueEncoding: 'json' });
const inlineRow = (id: string, bytes: Uint8Array): Row => ({
  type: 'put',
  key: rows.inline(id),
  value: bytes,
  valueEncoding: 'view',
});

function ignoreMissing(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error;
}
