/** The data set of a deflated object (PS3.5 A.5) as a source of its own: inflated within a bound, once. */
import { createInflateRaw } from 'node:zlib';
import { type ByteSource, bufferSource } from './byte-source.ts';
import { DicomError } from './dicom-error.ts';

/** Compressed bytes that are read at once. */
const READ_BYTES = 1024 * 1024;

async function* chunksOf(source: ByteSource, start: number): AsyncGenerator<Uint8Array> {
  for (let at = start; at < source.sizeBytes; at += READ_BYTES) yield await source.read(at, at + READ_BYTES);
}

/**
 * Inflates everything from `start` on. Throws FileTooLarge above `maxBytes`; a broken or cut stream gives what came out
 * before the break (the parser then says where the data set ends), a stream of which nothing comes out NotP10.
 */
export async function inflatedSource(
  source: ByteSource,
  start: number,
  maxBytes: number,
): Promise<ByteSource> {
  const inflate = createInflateRaw({ chunkSize: 256 * 1024 });
  const parts: Uint8Array[] = [];
  let total = 0;
  let broken: unknown;
  const feed = async () => {
    for await (const chunk of chunksOf(source, start)) {
      if (inflate.destroyed || inflate.writableEnded) return;
      if (!inflate.write(chunk)) await new Promise<void>((resolve) => settled(inflate, resolve));
    }
    if (!inflate.destroyed) inflate.end();
  };
  const fed = feed().catch((error) =>
    inflate.destroy(error instanceof Error ? error : new Error(String(error))),
  );
  try {
    for await (const part of inflate as AsyncIterable<Uint8Array>) {
      total += part.length;
      if (total > maxBytes) break;
      parts.push(part);
    }
  } catch (error) {
    broken = error;
  }
  inflate.destroy();
  await fed;
  if (total > maxBytes)
    throw new DicomError('FileTooLarge', `byte ${start}`, `the inflated data set exceeds ${maxBytes} bytes`, {
      limit: maxBytes,
    });
  if (total === 0)
    throw new DicomError(
      'MalformedDataset',
      `byte ${start}`,
      'expected a deflated data set, got none',
      {},
      { cause: broken },
    );
  return bufferSource(Buffer.concat(parts, total));
}

function settled(stream: NodeJS.EventEmitter, resolve: () => void): void {
  const done = () => {
    for (const event of ['drain', 'close', 'error', 'end']) stream.removeListener(event, done);
    resolve();
  };
  for (const event of ['drain', 'close', 'error', 'end']) stream.on(event, done);
}
