/** The part of a source that the parser looks at: loaded by ranged reads that grow while it goes on reading. */
import type { ByteSource } from './byte-source.ts';

/** First read, and the ceiling that doubling stops at. Bytes. */
const FIRST_READ = 64 * 1024;
const LARGEST_READ = 1024 * 1024;

export class ByteWindow {
  readonly source: ByteSource;
  bytes: Uint8Array = new Uint8Array(0);
  view: DataView = new DataView(new ArrayBuffer(0));
  start = 0;
  end = 0;
  private nextRead: number;

  constructor(source: ByteSource, firstRead = FIRST_READ) {
    this.source = source;
    this.nextRead = firstRead;
  }

  /** True when `length` bytes at `offset` are here. */
  has(offset: number, length: number): boolean {
    return offset >= this.start && offset + length <= this.end;
  }

  /**
   * Makes `length` bytes at `offset` present, as far as the source has them. Views taken of earlier bytes stay good.
   * `exact`: no more than that (a far look that nothing will follow).
   */
  async load(offset: number, length: number, exact = false): Promise<void> {
    if (this.has(offset, Math.max(0, Math.min(length, this.source.sizeBytes - offset)))) return;
    const size = exact ? length : Math.max(length, this.nextRead);
    if (!exact) this.nextRead = Math.min(this.nextRead * 2, LARGEST_READ);
    const end = Math.min(offset + size, this.source.sizeBytes);
    const read = await this.source.read(offset, end);
    if (read.length !== end - offset)
      throw new Error(`source: expected ${end - offset} bytes at byte ${offset}, got ${read.length}`);
    // A plain array: views of a Buffer cost three times as much.
    const bytes = new Uint8Array(read.buffer, read.byteOffset, read.byteLength);
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.start = offset;
    this.end = offset + bytes.length;
  }

  /** The bytes themselves; what was not loaded or is past the end is missing from the result. */
  slice(offset: number, length: number): Uint8Array {
    const at = Math.max(0, offset - this.start);
    return this.bytes.subarray(at, Math.max(at, offset + length - this.start));
  }
}
