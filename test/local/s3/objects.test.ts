/** Objects, as the official client puts, gets, copies, tags and deletes them. */
import { createHash, randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import {
  CopyObjectCommand,
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  DeleteObjectTaggingCommand,
  GetBucketLocationCommand,
  GetObjectAttributesCommand,
  GetObjectCommand,
  type GetObjectCommandInput,
  GetObjectTaggingCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListBucketsCommand,
  PutBucketNotificationConfigurationCommand,
  PutObjectCommand,
  type PutObjectCommandInput,
  PutObjectTaggingCommand,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { EventBridgeEvent } from '../../../shared/ports/events.ts';
import { startTestStore, type TestStore } from './store-for-tests.ts';

let store: TestStore;
const events: EventBridgeEvent[] = [];
const Bucket = 'objects';

beforeAll(async () => {
  store = await startTestStore({ onEvent: (event) => events.push(event) });
  await store.server.createBucket(Bucket);
});
afterAll(() => store.close());

const put = (
  Key: string,
  Body: NonNullable<PutObjectCommandInput['Body']>,
  more: Partial<PutObjectCommandInput> = {},
) => store.client.send(new PutObjectCommand({ Bucket, Key, Body, ...more }));
const get = (Key: string, more: Partial<GetObjectCommandInput> = {}) =>
  store.client.send(new GetObjectCommand({ Bucket, Key, ...more }));
const text = async (Key: string, more: Partial<GetObjectCommandInput> = {}) =>
  (await get(Key, more)).Body!.transformToString();
const fails = (answer: Promise<unknown>, status: number, name?: string) =>
  expect(answer).rejects.toMatchObject({ $metadata: { httpStatusCode: status }, ...(name && { name }) });
const md5 = (bytes: string | Uint8Array) => `"${createHash('md5').update(bytes).digest('hex')}"`;

describe('buckets', () => {
  it('are made, found, listed and removed when empty', async () => {
    const at = { Bucket: 'another-bucket' };
    await store.client.send(new CreateBucketCommand(at));
    await store.client.send(new CreateBucketCommand(at));
    await store.client.send(new HeadBucketCommand(at));
    await store.client.send(new GetBucketLocationCommand(at));
    const { Buckets } = await store.client.send(new ListBucketsCommand({}));
    expect(Buckets?.map(({ Name }) => Name)).toEqual(['another-bucket', Bucket]);
    await store.client.send(new PutObjectCommand({ ...at, Key: 'x', Body: 'x' }));
    await fails(store.client.send(new DeleteBucketCommand(at)), 409, 'BucketNotEmpty');
    await store.client.send(new DeleteObjectCommand({ ...at, Key: 'x' }));
    await store.client.send(new DeleteBucketCommand(at));
    await fails(store.client.send(new HeadBucketCommand(at)), 404);
  });

  it.each(['UPPER', 'ab', '-start', 'a..b', '192.168.0.1', 'a_b'])('refuses the name %s', async (name) => {
    await fails(store.client.send(new CreateBucketCommand({ Bucket: name })), 400, 'InvalidBucketName');
  });

  it('that do not exist are named as such', async () => {
    const at = { Bucket: 'no-such-bucket', Key: 'x' };
    await fails(store.client.send(new PutObjectCommand({ ...at, Body: 'x' })), 404, 'NoSuchBucket');
    await fails(store.client.send(new GetObjectCommand(at)), 404, 'NoSuchBucket');
    await fails(store.client.send(new DeleteObjectCommand(at)), 404, 'NoSuchBucket');
  });
});

describe('an object', () => {
  it.each([0, 1, 4096, 4097, 65_536, 300_000, 2_000_001])('of %i bytes comes back the same', async (size) => {
    const body = randomBytes(size);
    const { ETag } = await put('sized', body);
    expect(ETag).toBe(md5(body));
    const answer = await get('sized');
    expect(Buffer.from(await answer.Body!.transformToByteArray()).equals(body)).toBe(true);
    expect(answer).toMatchObject({ ETag, ContentLength: size, ContentType: 'application/octet-stream' });
  });

  it('keeps its headers and metadata', async () => {
    const more = {
      ContentType: 'application/dicom',
      CacheControl: 'no-store',
      ContentDisposition: 'attachment; filename="x"',
      ContentEncoding: 'gzip',
      ContentLanguage: 'de',
      Metadata: { one: '1', 'with-dash': 'zwei' },
    };
    await put('meta', 'x', more);
    const head = await store.client.send(new HeadObjectCommand({ Bucket, Key: 'meta' }));
    expect(head).toMatchObject(more);
    await fails(put('meta', 'x', { Metadata: { big: 'x'.repeat(2100) } }), 400, 'MetadataTooLarge');
  });

  it.each([
    ['bytes=0-0', 'a', '0-0'],
    ['bytes=2-4', 'cde', '2-4'],
    ['bytes=7-', 'hij', '7-9'],
    ['bytes=-3', 'hij', '7-9'],
    ['bytes=-30', 'abcdefghij', '0-9'],
    ['bytes=8-100', 'ij', '8-9'],
  ])('gives the range %s', async (Range, expected, contentRange) => {
    await put('range', 'abcdefghij');
    const answer = await get('range', { Range });
    expect(await answer.Body!.transformToString()).toBe(expected);
    expect(answer).toMatchObject({
      ContentRange: `bytes ${contentRange}/10`,
      ContentLength: expected.length,
      $metadata: { httpStatusCode: 206 },
    });
  });

  it.each(['bytes=10-', 'bytes=100-200', 'bytes=-0'])('answers 416 to the range %s', async (Range) => {
    await put('range', 'abcdefghij');
    await fails(get('range', { Range }), 416, 'InvalidRange');
  });

  it.each(['bytes=5-2', 'bytes=a-b', 'bytes=0-1,3-4', 'items=0-1'])('ignores the range %s', async (Range) => {
    await put('range', 'abcdefghij');
    expect(await text('range', { Range })).toBe('abcdefghij');
  });

  it('is read only when the conditions hold', async () => {
    const { ETag } = await put('conditions', 'x');
    const past = new Date(Date.now() - 86_400_000);
    expect(await text('conditions', { IfMatch: ETag })).toBe('x');
    await fails(get('conditions', { IfMatch: '"other"' }), 412, 'PreconditionFailed');
    await fails(get('conditions', { IfNoneMatch: ETag }), 304);
    expect(await text('conditions', { IfNoneMatch: '"other"' })).toBe('x');
    await fails(get('conditions', { IfModifiedSince: new Date() }), 304);
    await fails(get('conditions', { IfUnmodifiedSince: past }), 412);
    expect(await text('conditions', { IfModifiedSince: past })).toBe('x');
  });

  it('is deleted, also when it is not there; with If-Match only the very one', async () => {
    const at = { Bucket, Key: 'deleted' };
    const { ETag } = await put('deleted', 'one');
    await put('deleted', 'two');
    await fails(
      store.client.send(new DeleteObjectCommand({ ...at, IfMatch: ETag })),
      412,
      'PreconditionFailed',
    );
    expect(await text('deleted')).toBe('two');
    await store.client.send(new DeleteObjectCommand({ ...at, IfMatch: md5('two') }));
    await fails(get('deleted'), 404, 'NoSuchKey');
    await store.client.send(new DeleteObjectCommand(at));
    await fails(store.client.send(new DeleteObjectCommand({ ...at, IfMatch: ETag })), 404, 'NoSuchKey');
  });

  it('is deleted among many, each by its own etag', async () => {
    const a = await put('many/a', 'a');
    await put('many/b', 'b');
    const { Deleted, Errors } = await store.client.send(
      new DeleteObjectsCommand({
        Bucket,
        Delete: {
          Objects: [
            { Key: 'many/a', ETag: a.ETag },
            { Key: 'many/b', ETag: a.ETag },
            { Key: 'many/none' },
            { Key: 'many/none<&>"\'\r\n' },
          ],
        },
      }),
    );
    expect(Deleted?.map(({ Key }) => Key)).toEqual(['many/a', 'many/none', 'many/none<&>"\'\r\n']);
    expect(Errors).toMatchObject([{ Key: 'many/b', Code: 'PreconditionFailed' }]);
    expect(await text('many/b')).toBe('b');
  });

  it('has tags, from the header or set later', async () => {
    const at = { Bucket, Key: 'tagged' };
    await put('tagged', 'x', { Tagging: 'a=1&b=two%20words' });
    const { TagSet } = await store.client.send(new GetObjectTaggingCommand(at));
    expect(TagSet).toEqual([
      { Key: 'a', Value: '1' },
      { Key: 'b', Value: 'two words' },
    ]);
    const set = [{ Key: 'c<&>', Value: 'd' }];
    await store.client.send(new PutObjectTaggingCommand({ ...at, Tagging: { TagSet: set } }));
    expect((await store.client.send(new GetObjectTaggingCommand(at))).TagSet).toEqual(set);
    expect(await get('tagged')).toMatchObject({ TagCount: 1 });
    await store.client.send(new DeleteObjectTaggingCommand(at));
    expect((await store.client.send(new GetObjectTaggingCommand(at))).TagSet ?? []).toEqual([]);
    const twice = { TagSet: [...set, ...set] };
    await fails(store.client.send(new PutObjectTaggingCommand({ ...at, Tagging: twice })), 400, 'InvalidTag');
  });

  it('tells its attributes', async () => {
    await put('attributes', 'x', { ChecksumAlgorithm: 'SHA256' });
    const attributes = await store.client.send(
      new GetObjectAttributesCommand({
        Bucket,
        Key: 'attributes',
        ObjectAttributes: ['ETag', 'Checksum', 'ObjectSize'],
      }),
    );
    const ChecksumSHA256 = createHash('sha256').update('x').digest('base64');
    expect(attributes).toMatchObject({ ObjectSize: 1, Checksum: { ChecksumSHA256 } });
  });
});

describe('a copy', () => {
  const copy = (from: string, to: string, more = {}) =>
    store.client.send(new CopyObjectCommand({ Bucket, Key: to, CopySource: `${Bucket}/${from}`, ...more }));

  it.each([10, 500_000])(
    'of %i bytes has the bytes, the metadata, the tags and the asked digest',
    async (size) => {
      const body = randomBytes(size);
      const { ETag } = await put('from', body, { Metadata: { a: 'b' }, Tagging: 't=1', ContentType: 'x/y' });
      const { CopyObjectResult } = await copy('from', 'to', {
        ChecksumAlgorithm: 'SHA256',
        CopySourceIfMatch: ETag,
      });
      expect(CopyObjectResult).toMatchObject({
        ETag,
        ChecksumSHA256: createHash('sha256').update(body).digest('base64'),
      });
      await store.client.send(new DeleteObjectCommand({ Bucket, Key: 'from' }));
      const answer = await get('to');
      expect(answer).toMatchObject({ Metadata: { a: 'b' }, ContentType: 'x/y', TagCount: 1, ETag });
      expect(Buffer.from(await answer.Body!.transformToByteArray()).equals(body)).toBe(true);
    },
  );

  it('replaces metadata when told to, onto itself only then', async () => {
    await put('self', 'x', { Metadata: { a: 'b' } });
    await fails(copy('self', 'self'), 400, 'InvalidRequest');
    await copy('self', 'self', { MetadataDirective: 'REPLACE', Metadata: { c: 'd' } });
    const answer = await get('self');
    expect(answer.Metadata).toEqual({ c: 'd' });
    expect(await answer.Body!.transformToString()).toBe('x');
  });

  it('fails when the source is another, or not there, or badly named', async () => {
    await put('source', 'x');
    await fails(copy('source', 'to', { CopySourceIfMatch: '"other"' }), 412, 'PreconditionFailed');
    await fails(copy('source', 'to', { CopySourceIfNoneMatch: md5('x') }), 412, 'PreconditionFailed');
    await fails(copy('missing', 'to'), 404, 'NoSuchKey');
    const badlyNamed = new CopyObjectCommand({ Bucket, Key: 'to', CopySource: 'nokey' });
    await fails(store.client.send(badlyNamed), 400, 'InvalidArgument');
  });
});

describe('a body', () => {
  const algorithms = ['CRC32', 'CRC32C', 'CRC64NVME', 'SHA1', 'SHA256'] as const;
  const known = {
    CRC32: 'ChecksumCRC32',
    CRC32C: 'ChecksumCRC32C',
    CRC64NVME: 'ChecksumCRC64NVME',
    SHA1: 'ChecksumSHA1',
    SHA256: 'ChecksumSHA256',
  } as const;

  it.each(algorithms)(
    'with %s in a header or a trailer is verified and the checksum given back',
    async (ChecksumAlgorithm) => {
      const body = randomBytes(70_001);
      const whole = await put('sum', body, { ChecksumAlgorithm });
      const streamed = await put('sum', Readable.from([body.subarray(0, 10), body.subarray(10)]), {
        ChecksumAlgorithm,
        ContentLength: body.length,
      });
      const name = known[ChecksumAlgorithm];
      expect(whole[name]).toBeTruthy();
      expect(streamed[name]).toBe(whole[name]);
      // The client verifies what it gets, too.
      const answer = await get('sum', { ChecksumMode: 'ENABLED' });
      expect(answer[name]).toBe(whole[name]);
      expect(Buffer.from(await answer.Body!.transformToByteArray()).equals(body)).toBe(true);
    },
  );

  it('with a wrong checksum is refused and nothing is stored', async () => {
    await fails(put('wrong', 'hello', { ChecksumCRC32: 'AAAAAA==' }), 400, 'BadDigest');
    await fails(
      put('wrong', randomBytes(100_000), { ChecksumSHA256: 'A'.repeat(43).concat('=') }),
      400,
      'BadDigest',
    );
    await fails(put('wrong', 'hello', { ContentMD5: 'AAAAAAAAAAAAAAAAAAAAAA==' }), 400, 'BadDigest');
    await fails(put('wrong', 'hello', { ContentMD5: 'AAAA' }), 400, 'InvalidDigest');
    await fails(get('wrong'), 404, 'NoSuchKey');
  });
});

describe('events', () => {
  it('tell of created and deleted objects once EventBridge is on', async () => {
    const at = { Bucket: 'watched', Key: 'a key+ü.dcm' };
    await store.server.createBucket('watched');
    await store.client.send(new PutObjectCommand({ ...at, Body: 'unseen' }));
    await store.client.send(
      new PutBucketNotificationConfigurationCommand({
        Bucket: 'watched',
        NotificationConfiguration: { EventBridgeConfiguration: {} },
      }),
    );
    events.length = 0;
    await store.client.send(new PutObjectCommand({ ...at, Body: 'hello' }));
    const copySource = { CopySource: `watched/${encodeURIComponent(at.Key)}` };
    await store.client.send(new CopyObjectCommand({ Bucket: 'watched', Key: 'copy', ...copySource }));
    await store.client.send(new DeleteObjectCommand(at));
    await store.client.send(new DeleteObjectCommand(at));
    expect(events.map((event) => [event['detail-type'], event.detail.reason])).toEqual([
      ['Object Created', 'PutObject'],
      ['Object Created', 'CopyObject'],
      ['Object Deleted', 'DeleteObject'],
    ]);
    expect(events[0]).toMatchObject({
      source: 'aws.s3',
      region: 'us-east-1',
      account: '000000000000',
      resources: ['arn:aws:s3:::watched'],
      detail: {
        bucket: { name: 'watched' },
        object: { key: at.Key, size: 5, etag: md5('hello').replaceAll('"', '') },
      },
    });
    const sequencers = events.map((event) => (event.detail.object as { sequencer: string }).sequencer);
    expect(sequencers).toEqual([...sequencers].sort());
  });
});
