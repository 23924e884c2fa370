/** What a state machine's tasks reach: functions, buses, topics and objects of this world. */
import type { S3Client } from '@aws-sdk/client-s3';
import type { TaskServices } from '../stepfunctions/server.ts';
import type { EventBuses } from './event-bus.ts';
import type { FunctionHost } from './function-host.ts';
import type { Topics } from './topic.ts';

/** `s3Url` is the endpoint of the local store. The S3 client is loaded when it is first needed. */
export function makeTaskServices(parts: {
  host: FunctionHost;
  buses: EventBuses;
  topics: Topics;
  s3Url: string;
  region: string;
  /** Counts a request by `service:Operation`. */
  count: (name: string) => void;
}): TaskServices {
  let loading: Promise<{ sdk: typeof import('@aws-sdk/client-s3'); client: S3Client }> | undefined;
  const s3 = () => {
    loading ??= import('@aws-sdk/client-s3').then((sdk) => ({
      sdk,
      client: new sdk.S3Client({
        endpoint: parts.s3Url,
        region: parts.region,
        forcePathStyle: true,
        credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
      }),
    }));
    return loading;
  };
  return {
    invokeFunction: (nameOrArn, payload, { signal }) => parts.host.invoke(nameOrArn, payload, { signal }),
    putEvents(entries) {
      parts.count('events:PutEvents');
      return parts.buses.putEvents(entries);
    },
    publish(request) {
      parts.count('sns:Publish');
      return parts.topics.publish(request);
    },
    async readObject(bucket, key) {
      const { sdk, client } = await s3();
      parts.count('s3:GetObject');
      const { Body } = await client.send(new sdk.GetObjectCommand({ Bucket: bucket, Key: key }));
      return Body ? await Body.transformToByteArray() : new Uint8Array();
    },
    async *listObjects(bucket, prefix) {
      const { sdk, client } = await s3();
      for await (const { Contents = [] } of sdk.paginateListObjectsV2(
        { client },
        { Bucket: bucket, Prefix: prefix },
      ))
        for (const { Key = '', Size = 0, ETag = '', LastModified } of Contents)
          yield { Key, Size, Etag: ETag, LastModified: LastModified?.toISOString() ?? '' };
    },
    async writeObject(bucket, key, body) {
      const { sdk, client } = await s3();
      parts.count('s3:PutObject');
      await client.send(new sdk.PutObjectCommand({ Bucket: bucket, Key: key, Body: body }));
    },
  };
}
