/** Multipart uploads, as the official client makes them. */
import { createHash, randomBytes } from 'node:crypto';
import {
  AbortMultipartUploadCommand,
  type ChecksumAlgorithm,
  type ChecksumType,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  GetObjectAttributesCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
  PutObjectCommand,
  UploadPartCommand,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startTestStore, type TestStore } from './store-for-tests.ts';

let store: TestStore;
const Bucket = 'uploads';
const PART = 5 * 1024 ** 2;
const body = randomBytes(2 * PART + 1234);
const pieces = [body.subarray(0, PART), body.subarray(PART, 2 * PART), body.subarray(2 * PART)];

beforeAll(async () => {
  store = await startTestStore();
  await store.server.createBucket(Bucket);
});
afterAll(() => store.close());

const send: TestStore['client']['send'] = ((command: never) => store.client.send(command)) as never;
const fails = (answer: Promise<unknown>, status: number, name?: string) =>
  expect(answer).rejects.toMatchObject({ $metadata: { httpStatusCode: status }, ...(name && { name }) });

async function begin(
  Key: string,
  more: { ChecksumAlgorithm?: ChecksumAlgorithm; ChecksumType?: ChecksumType } = {},
) {
  const { UploadId } = await send(new CreateMultipartUploadCommand({ Bucket, Key, ...more }));
  return { Bucket, Key, UploadId };
}

type At = Awaited<ReturnType<typeof begin>>;

async function uploadAll(at: At, algorithm?: ChecksumAlgorithm): Promise<CompletedPart[]> {
  const parts: CompletedPart[] = [];
  for (const [n, Body] of pieces.entries()) {
    const more = algorithm ? { ChecksumAlgorithm: algorithm } : {};
    const { $metadata, ...answer } = await send(
      new UploadPartCommand({ ...at, PartNumber: n + 1, Body, ...more }),
    );
    parts.push({ PartNumber: n + 1, ...answer });
  }
  return parts;
}

const complete = (at: At, Parts: CompletedPart[], more = {}) =>
  send(new CompleteMultipartUploadCommand({ ...at, MultipartUpload: { Parts }, ...more }));

const wholeEtag = () => {
  const md5s = pieces.map((piece) => createHash('md5').update(piece).digest());
  return `"${createHash('md5').update(Buffer.concat(md5s)).digest('hex')}-3"`;
};

it('becomes one object with ranges across its parts', async () => {
  const at = await begin('plain');
  const { ETag } = await complete(at, await uploadAll(at));
  expect(ETag).toBe(wholeEtag());
  const answer = await send(new GetObjectCommand({ Bucket, Key: 'plain' }));
  expect(answer.ContentLength).toBe(body.length);
  expect(Buffer.from(await answer.Body!.transformToByteArray()).equals(body)).toBe(true);
  const Range = `bytes=${PART - 10}-${2 * PART + 9}`;
  const range = await send(new GetObjectCommand({ Bucket, Key: 'plain', Range }));
  const expected = body.subarray(PART - 10, 2 * PART + 10);
  expect(Buffer.from(await range.Body!.transformToByteArray()).equals(expected)).toBe(true);
  const third = await send(new GetObjectCommand({ Bucket, Key: 'plain', PartNumber: 3 }));
  expect(third).toMatchObject({ PartsCount: 3, ContentLength: 1234 });
  expect(Buffer.from(await third.Body!.transformToByteArray()).equals(pieces[2]!)).toBe(true);
  await fails(send(new ListPartsCommand(at)), 404, 'NoSuchUpload');
});

it.each([
  ['CRC32', 'COMPOSITE'],
  ['SHA256', 'COMPOSITE'],
  ['CRC32', 'FULL_OBJECT'],
  ['CRC32C', 'FULL_OBJECT'],
  ['CRC64NVME', 'FULL_OBJECT'],
] as const)('has the %s checksum, %s', async (algorithm, type) => {
  const at = await begin(`sum-${algorithm}`, { ChecksumAlgorithm: algorithm, ChecksumType: type });
  const parts = await uploadAll(at, algorithm);
  const done = await complete(at, parts, { ChecksumType: type });
  const name = `Checksum${algorithm}` as const;
  if (type === 'COMPOSITE') {
    expect(done[name]).toMatch(/-3$/);
    if (algorithm === 'SHA256') {
      const hashes = pieces.map((piece) => createHash('sha256').update(piece).digest());
      const composite = createHash('sha256').update(Buffer.concat(hashes)).digest('base64');
      expect(done.ChecksumSHA256).toBe(`${composite}-3`);
    }
  } else {
    const put = await send(
      new PutObjectCommand({ Bucket, Key: 'same', Body: body, ChecksumAlgorithm: algorithm }),
    );
    expect(done[name]).toBe(put[name]);
  }
  const head = await send(new HeadObjectCommand({ Bucket, Key: at.Key, ChecksumMode: 'ENABLED' }));
  expect(head).toMatchObject({ [name]: done[name], ChecksumType: type });
  const attributes = await send(
    new GetObjectAttributesCommand({ Bucket, Key: at.Key, ObjectAttributes: ['ObjectParts', 'Checksum'] }),
  );
  expect(attributes.ObjectParts?.Parts).toHaveLength(3);
});

it('copies parts from another object, whole and by range', async () => {
  await send(new PutObjectCommand({ Bucket, Key: 'source', Body: body }));
  const at = await begin('copied');
  const from = { CopySource: `${Bucket}/source` };
  const one = await send(
    new UploadPartCopyCommand({ ...at, ...from, PartNumber: 1, CopySourceRange: `bytes=7-${PART + 6}` }),
  );
  const two = await send(new UploadPartCopyCommand({ ...at, ...from, PartNumber: 2 }));
  await fails(
    send(new UploadPartCopyCommand({ ...at, ...from, PartNumber: 3, CopySourceRange: 'bytes=0-99999999' })),
    400,
    'InvalidArgument',
  );
  await fails(
    send(new UploadPartCopyCommand({ ...at, ...from, PartNumber: 3, CopySourceIfMatch: '"x"' })),
    412,
  );
  await complete(at, [
    { PartNumber: 1, ETag: one.CopyPartResult?.ETag },
    { PartNumber: 2, ETag: two.CopyPartResult?.ETag },
  ]);
  const { Body } = await send(new GetObjectCommand({ Bucket, Key: 'copied' }));
  const expected = Buffer.concat([body.subarray(7, PART + 7), body]);
  expect(Buffer.from(await Body!.transformToByteArray()).equals(expected)).toBe(true);
});

it('lists uploads and parts by pages, and replaces a part that is sent again', async () => {
  const ats = [await begin('listed/a'), await begin('listed/a'), await begin('listed/b')];
  const seen: (string | undefined)[] = [];
  let markers = {};
  for (let isTruncated = true; isTruncated; ) {
    const page = await send(
      new ListMultipartUploadsCommand({ Bucket, Prefix: 'listed/', MaxUploads: 1, ...markers }),
    );
    seen.push(...(page.Uploads ?? []).map(({ UploadId }) => UploadId));
    markers = { KeyMarker: page.NextKeyMarker, UploadIdMarker: page.NextUploadIdMarker };
    isTruncated = page.IsTruncated ?? false;
  }
  expect([...seen].sort()).toEqual(ats.map(({ UploadId }) => UploadId).sort());

  const at = ats[0]!;
  for (const PartNumber of [1, 2, 10, 2]) {
    await send(new UploadPartCommand({ ...at, PartNumber, Body: `part ${PartNumber}` }));
  }
  const first = await send(new ListPartsCommand({ ...at, MaxParts: 2 }));
  expect(first.Parts?.map(({ PartNumber }) => PartNumber)).toEqual([1, 2]);
  const rest = await send(new ListPartsCommand({ ...at, PartNumberMarker: first.NextPartNumberMarker }));
  expect(rest.Parts?.map(({ PartNumber, Size }) => [PartNumber, Size])).toEqual([[10, 7]]);
  for (const upload of ats) await send(new AbortMultipartUploadCommand(upload));
  await fails(send(new AbortMultipartUploadCommand(at)), 404, 'NoSuchUpload');
});

it('is refused with wrong, missing, small or disordered parts, and stays open', async () => {
  const at = await begin('refused');
  const [one, two, three] = await uploadAll(at);
  await fails(complete(at, [{ ...one, ETag: '"x"' }]), 400, 'InvalidPart');
  await fails(complete(at, [one!, { PartNumber: 9, ETag: '"x"' }]), 400, 'InvalidPart');
  await fails(complete(at, [two!, one!]), 400, 'InvalidPartOrder');
  await fails(complete(at, [one!, three!, { PartNumber: 9, ETag: '"x"' }]), 400, 'EntityTooSmall');
  await fails(complete(at, [one!], { IfMatch: '"x"' }), 404, 'NoSuchKey');
  await fails(send(new UploadPartCommand({ ...at, PartNumber: 10_001, Body: 'x' })), 400, 'InvalidArgument');
  await complete(at, [one!, two!, three!]);
  const again = await begin('refused');
  const parts = await uploadAll(again);
  await fails(complete(again, parts, { IfNoneMatch: '*' }), 412, 'PreconditionFailed');
  await send(new AbortMultipartUploadCommand(again));
});
