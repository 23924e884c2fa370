/** A world with the demonstration in its inbox, for the console's tests: in this process, on ports of its own. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { S3Client } from '@aws-sdk/client-s3';
import { demoFiles } from '../../local/demo/demo.ts';
import { startWorld, type World } from '../../local/world/world.ts';
import { s3ObjectStore } from '../../shared/adapters/s3-object-store.ts';
import type { ExecutionPage, Summary } from '../../shared/console/api.ts';
import type { ObjectStore } from '../../shared/ports/object-store.ts';

export const UPLOAD = 'demo-for-the-console';

export interface Demonstration {
  readonly world: World;
  readonly url: string;
  /** By path within the upload. */
  readonly files: ReadonlyMap<string, Uint8Array>;
  readonly store: ObjectStore;
  close(): Promise<void>;
}

export const demonstrationFiles = (): ReadonlyMap<string, Uint8Array> =>
  new Map([...demoFiles('current')].map(({ path, bytes }) => [path, bytes]));

export const startDemonstration = (): Promise<Demonstration> => startWorldWith(UPLOAD, demonstrationFiles());

/** A world with these files in its inbox. */
export async function startWorldWith(
  upload: string,
  files: ReadonlyMap<string, Uint8Array>,
): Promise<Demonstration> {
  const dataDir = await mkdtemp(join(tmpdir(), 'isocenter-console-'));
  const world = await startWorld({ dataDir, basePort: 0 });
  const s3 = new S3Client({
    region: world.region,
    endpoint: world.s3Url,
    forcePathStyle: true,
    credentials: { accessKeyId: 'x', secretAccessKey: 'x' },
  });
  const store = s3ObjectStore(s3);
  await fillInbox({ world, store }, upload, files);
  return {
    world,
    url: world.consoleUrl,
    files,
    store,
    async close() {
      s3.destroy();
      await world.close();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

export async function fillInbox(
  { world, store }: Pick<Demonstration, 'world' | 'store'>,
  upload: string,
  files: ReadonlyMap<string, Uint8Array>,
): Promise<void> {
  for (const [path, bytes] of files)
    await store.write({ bucket: world.inboxBucket, key: `${upload}/${path}` }, bytes);
}

/** Asks the console as its own pages do. */
export async function ask<T>(url: string, path: string, body?: object): Promise<T> {
  const response = await fetch(`${url}/api/${path}`, {
    ...(body === undefined
      ? {}
      : {
          method: 'POST',
          headers: { origin: url, 'content-type': 'application/json' },
          body: JSON.stringify(body),
        }),
  });
  if (!response.ok) throw new Error(`${path}: HTTP ${response.status}: ${await response.text()}`);
  return (await response.json()) as T;
}

/** The first finished ingest of an upload with this in its name. */
export async function finished(url: string, text: string, but: readonly string[] = []): Promise<Summary> {
  for (;;) {
    const { executions } = await ask<ExecutionPage>(url, 'executions/search', { text });
    const found = executions.find(({ executionId }) => !but.includes(executionId));
    if (found) return found;
    await sleep(500);
  }
}
