/**
 * The aws-chunked content encoding: `size[;chunk-signature=…]\r\n data \r\n … 0\r\n trailers \r\n` (S3 API reference,
 * "Signature calculations: transferring a payload in multiple chunks"). Signatures are read over, not verified.
 */
import { S3Error } from './s3-error.ts';

const LINE_LIMIT_BYTES = 512;
const TRAILERS_LIMIT_BYTES = 8192;

type State = 'size' | 'data' | 'dataEnd' | 'trailer' | 'done';

/** Decodes as the bytes come; data are slices of what is pushed. */
export class AwsChunkedDecoder {
  readonly trailers: Record<string, string> = {};
  #state: State = 'size';
  #line = '';
  #dataLeft = 0;
  #trailerBytes = 0;

  get isDone(): boolean {
    return this.#state === 'done';
  }

  /** The data inside `bytes`. Throws IncompleteBody or InvalidRequest on malformed framing. */
  push(bytes: Buffer): Buffer[] {
    const out: Buffer[] = [];
    let at = 0;
    while (at < bytes.length) {
      if (this.#state === 'done') throw malformed('bytes after the last chunk');
      if (this.#state === 'data') {
        const end = Math.min(bytes.length, at + this.#dataLeft);
        out.push(bytes.subarray(at, end));
        this.#dataLeft -= end - at;
        at = end;
        if (this.#dataLeft === 0) this.#state = 'dataEnd';
      } else {
        at = this.#readLine(bytes, at);
      }
    }
    return out;
  }

  #readLine(bytes: Buffer, at: number): number {
    const newline = bytes.indexOf(10, at);
    const end = newline < 0 ? bytes.length : newline;
    if (this.#line.length + (end - at) > LINE_LIMIT_BYTES) throw malformed('a chunk header is too long');
    this.#line += bytes.toString('latin1', at, end);
    if (newline < 0) return bytes.length;
    const line = this.#line.endsWith('\r') ? this.#line.slice(0, -1) : this.#line;
    this.#line = '';
    this.#takeLine(line);
    return newline + 1;
  }

  #takeLine(line: string): void {
    if (this.#state === 'dataEnd') {
      if (line !== '') throw malformed('a chunk is longer than its size');
      this.#state = 'size';
    } else if (this.#state === 'size') {
      const size = /^([0-9a-fA-F]{1,12})(?:;.*)?$/.exec(line)?.[1];
      if (size === undefined) throw malformed('a chunk size is not hexadecimal');
      this.#dataLeft = Number.parseInt(size, 16);
      this.#state = this.#dataLeft === 0 ? 'trailer' : 'data';
    } else this.#takeTrailer(line);
  }

  #takeTrailer(line: string): void {
    if (line === '') {
      this.#state = 'done';
      return;
    }
    this.#trailerBytes += line.length;
    const colon = line.indexOf(':');
    if (colon < 1 || this.#trailerBytes > TRAILERS_LIMIT_BYTES)
      throw malformed('a trailer is not name:value');
    this.trailers[line.slice(0, colon).trim().toLowerCase()] = line.slice(colon + 1).trim();
  }
}

const malformed = (what: string) =>
  new S3Error('InvalidRequest', `The aws-chunked body is malformed: ${what}.`);
