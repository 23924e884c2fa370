/** A store in a folder of its own, with the official client pointed at it; all goes when the test file ends. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { S3Client } from '@aws-sdk/client-s3';
import { type S3Options, type S3Server, startS3 } from '../../../local/s3/server.ts';

export interface TestStore {
  readonly server: S3Server;
  readonly client: S3Client;
  readonly dataDir: string;
  close(): Promise<void>;
}

export const testClient = (endpoint: string): S3Client =>
  new S3Client({
    endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    maxAttempts: 1,
  });

export async function startTestStore(options: Partial<S3Options> = {}): Promise<TestStore> {
  const dataDir = options.dataDir ?? (await mkdtemp(join(tmpdir(), 'isocenter-s3-')));
  const log = (line: string) => console.error(line);
  const server = await startS3({ log, ...options, dataDir });
  const client = testClient(server.url);
  return {
    server,
    client,
    dataDir,
    async close() {
      client.destroy();
      await server.close();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}
