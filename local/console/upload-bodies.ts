/** Bodies that this console's own places take: whole files and parts, streamed to the store. Paths travel in a header. */
import type { IncomingMessage } from 'node:http';
import { UploadPartCommand } from '@aws-sdk/client-s3';
import type { Backend, Place, Places } from '../../shared/console/backend.ts';
import { HttpProblem } from '../../shared/console/http.ts';
import { asGone, PART_BYTES } from '../../shared/console/upload-parts.ts';
import { keyOf } from '../../shared/console/uploads.ts';

/** Where pages of this console send bodies to: the console itself. */
export const ownPlaces: Pick<Places, 'file' | 'part'> = {
  file: async (key) => placeOf(key, 'file', {}),
  part: async ({ key, partsId }, { number, sha256 }) =>
    placeOf(key, 'part', {
      'x-isocenter-parts': partsId,
      'x-isocenter-part': String(number),
      'x-isocenter-sha256': sha256,
    }),
};

function placeOf(key: string, what: string, headers: Readonly<Record<string, string>>): Place {
  const slash = key.indexOf('/');
  const path = encodeURIComponent(key.slice(slash + 1));
  return {
    url: `api/uploads/${key.slice(0, slash)}/${what}`,
    headers: { ...headers, 'x-isocenter-path': path },
  };
}

/** Whether it was a body for a place: `PUT /api/uploads/<upload>/file` or `/part`. Throws HttpProblem. */
export async function receiveBody(
  backend: Backend,
  request: IncomingMessage,
  path: string,
): Promise<boolean> {
  const [, upload, what] = /^\/api\/uploads\/([^/]{1,100})\/(file|part)$/.exec(path) ?? [];
  if (request.method !== 'PUT' || upload === undefined) return false;
  const key = keyOf(upload, pathOf(request));
  if (what === 'file') await receiveFile(backend, key, request);
  else await receivePart(backend, key, request);
  return true;
}

/** Throws HttpProblem 499 when the page went away meanwhile. */
async function receiveFile(backend: Backend, key: string, request: IncomingMessage): Promise<void> {
  const wanted = Number(request.headers['content-length'] ?? Number.NaN);
  const location = { bucket: backend.inboxBucket, key };
  await backend.deps.objects.writeStream(location, wholeBody(request, wanted));
}

function pathOf(request: IncomingMessage): string {
  const header = request.headers['x-isocenter-path'];
  try {
    const path = decodeURIComponent(typeof header === 'string' ? header : '');
    if (path !== '') return path;
  } catch {
    // told below
  }
  throw new HttpProblem(400, 'x-isocenter-path: expected a percent-encoded path');
}

/** The store completes an object only after the last chunk: a body that was cut off never becomes one. */
async function* wholeBody(request: IncomingMessage, wantedBytes: number): AsyncGenerator<Uint8Array> {
  let got = 0;
  let held: Uint8Array | undefined;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    if (held !== undefined) yield held;
    held = chunk;
    got += chunk.length;
  }
  if (Number.isFinite(wantedBytes) && got !== wantedBytes)
    throw new HttpProblem(499, `the file ended after ${got} of ${wantedBytes} bytes`);
  if (held !== undefined) yield held;
}

/** One part; the store refuses a body that is not what its digest says. Throws HttpProblem 400, 404, 413. */
async function receivePart(backend: Backend, key: string, request: IncomingMessage): Promise<void> {
  const header = (name: string) => String(request.headers[`x-isocenter-${name}`] ?? '');
  const PartNumber = Number(header('part'));
  if (!Number.isInteger(PartNumber) || PartNumber < 1 || PartNumber > 10_000)
    throw new HttpProblem(400, 'x-isocenter-part: expected a number from 1 to 10000');
  const command = new UploadPartCommand({
    Bucket: backend.inboxBucket,
    Key: key,
    UploadId: header('parts'),
    PartNumber,
    Body: await readPart(request),
    ChecksumSHA256: header('sha256'),
  });
  try {
    await backend.s3.send(command).catch(asGone);
  } catch (cause) {
    if (!['BadDigest', 'InvalidRequest'].includes((cause as Error).name)) throw cause;
    throw new HttpProblem(400, `part ${PartNumber} arrived damaged`, { cause });
  }
}

async function readPart(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > PART_BYTES) throw new HttpProblem(413, `a part is at most ${PART_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
