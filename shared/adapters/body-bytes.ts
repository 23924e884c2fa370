/** The whole body of an answer that an SDK client hands out as a stream. */
import { Readable } from 'node:stream';

interface StreamedBody {
  transformToByteArray(): Promise<Uint8Array>;
}

/** Copies each byte once; the SDK's own collecting costs a third of the whole request. Nothing is an empty body. */
export async function bodyBytes(body: StreamedBody | undefined): Promise<Uint8Array> {
  if (body === undefined) return new Uint8Array(0);
  return body instanceof Readable ? collected(body) : body.transformToByteArray();
}

/** Rejects where the connection ends before the body does. */
function collected(stream: Readable): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const chunks: Uint8Array[] = [];
    stream.on('data', (chunk: Uint8Array) => chunks.push(chunk));
    stream.once('end', () => resolve(Buffer.concat(chunks)));
    stream.once('error', reject);
    stream.once('close', () => {
      if (!stream.readableEnded) reject(new Error('socket closed before the end of the body'));
    });
  });
}
