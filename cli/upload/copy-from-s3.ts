/** `ingest s3://bucket/prefix`: server-side copies from a bucket of the same store into the inbox. */
import { concurrentlyOver } from '../../shared/ingest/concurrently.ts';
import type { ObjectEntry, ObjectStore } from '../../shared/ports/object-store.ts';
import { CommandFailed, oneLine, UsageError } from '../errors.ts';
import { bytes, plural } from '../progress.ts';
import type { Terminal } from '../terminal.ts';

const AT_A_TIME = 16;

export function isS3Uri(path: string): boolean {
  return path.startsWith('s3://');
}

export function parseS3Uri(uri: string): { bucket: string; prefix: string } {
  const [, bucket, prefix = ''] = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/(.*))?$/s.exec(uri) ?? [];
  if (bucket === undefined) throw new UsageError(`${uri}: expected s3://bucket/prefix`);
  return { bucket, prefix };
}

/** Objects below a prefix keep their path after its last `/`. Nothing is removed at the source. */
export async function copyFromS3(
  store: ObjectStore,
  uri: string,
  inboxBucket: string,
  upload: string,
  terminal: Terminal,
): Promise<{ keys: Set<string>; problems: number }> {
  const { bucket, prefix } = parseS3Uri(uri);
  if (bucket === inboxBucket) throw new UsageError(`${uri}: is the inbox itself`);
  const folder = prefix.slice(0, prefix.lastIndexOf('/') + 1);
  const keys = new Set<string>();
  let total = 0;
  const copyOne = async (entry: ObjectEntry) => {
    const key = `${upload}/${entry.key.slice(folder.length)}`;
    await store.copy({ bucket, ...entry }, { bucket: inboxBucket, key });
    keys.add(key);
    total += entry.sizeBytes;
    terminal.progress(`send      ${plural(keys.size, 'object')}  ${bytes(total)}`);
  };
  try {
    await concurrentlyOver(objectsBelow(store, bucket, prefix), AT_A_TIME, copyOne);
  } catch (error) {
    if (keys.size > 0) throw error;
    throw new CommandFailed(`${uri}: ${oneLine(error).replace(/\.$/, '')}; nothing was copied`, {
      cause: error,
    });
  }
  if (keys.size === 0) throw new CommandFailed(`${uri}: nothing is there`);
  terminal.endProgress(`copied ${plural(keys.size, 'object')}, ${bytes(total)}, as upload ${upload}`);
  return { keys, problems: 0 };
}

/** All but the "folders" that the S3 console makes. */
async function* objectsBelow(
  store: ObjectStore,
  bucket: string,
  prefix: string,
): AsyncGenerator<ObjectEntry> {
  for await (const entry of store.list(bucket, prefix))
    if (!entry.key.endsWith('/') || entry.sizeBytes > 0) yield entry;
}
