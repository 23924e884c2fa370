/**
 * The local world as another process, the way a user runs it: started with the command line, reached through
 * `world.json` and the official SDK clients, killed without a warning.
 */
import { spawn } from 'node:child_process';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { gunzipSync } from 'node:zlib';
import {
  GetImageSetMetadataCommand,
  MedicalImagingClient,
  SearchImageSetsCommand,
} from '@aws-sdk/client-medical-imaging';
import { GetObjectCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { SFNClient } from '@aws-sdk/client-sfn';
import { build } from 'esbuild';

export const root = fileURLToPath(new URL('../..', import.meta.url));
export const bin = join(root, 'cli/isocenter.mjs');

/** Starts `isocenter up` on `dataDir` and resolves when it answers. `kill` is a SIGKILL; `stop` is a polite end. */
export async function startWorldProcess(dataDir, args = []) {
  const child = spawn(process.execPath, [bin, 'up', '--data', dataDir, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let log = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk) => {
      log = (log + chunk).slice(-20_000);
    });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  const world = await Promise.race([worldFile(dataDir, child.pid), ended.then(() => undefined)]);
  if (world === undefined) throw new Error(`isocenter up ended before it answered:\n${log}`);
  return {
    world,
    log: () => log,
    async kill() {
      child.kill('SIGKILL');
      await ended;
    },
    async stop() {
      child.kill('SIGTERM');
      await ended;
    },
  };
}

async function worldFile(dataDir, pid) {
  for (;;) {
    const text = await readFile(join(dataDir, 'world.json'), 'utf8').catch(() => undefined);
    const world = text === undefined ? undefined : JSON.parse(text);
    if (world?.pid === pid) return world;
    await sleep(50);
  }
}

/** The official clients, pointed at a world. */
export function clientsOf(world) {
  const common = {
    region: world.region,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    maxAttempts: 1,
  };
  return {
    s3: new S3Client({ ...common, endpoint: world.s3Url, forcePathStyle: true }),
    sfn: new SFNClient({ ...common, endpoint: world.stepFunctionsUrl }),
    imaging: new MedicalImagingClient({
      ...common,
      endpoint: world.healthImagingUrl,
      disableHostPrefix: true,
      maxAttempts: 5,
    }),
  };
}

/** Keys below a prefix, all pages. */
export async function listKeys(s3, bucket, prefix = '') {
  const keys = [];
  let token;
  do {
    const page = await s3.send(
      new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix, ContinuationToken: token }),
    );
    for (const { Key } of page.Contents ?? []) keys.push(Key);
    token = page.NextContinuationToken;
  } while (token !== undefined);
  return keys;
}

export async function readText(s3, bucket, key) {
  const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
  return Body.transformToString();
}

/** Lines of an NDJSON object. */
export async function readNdjson(s3, bucket, key) {
  return (await readText(s3, bucket, key))
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));
}

/** Every stored image set with its metadata document. */
export async function storedImageSets(imaging, datastoreId) {
  const summaries = [];
  let nextToken;
  do {
    const page = await imaging.send(
      new SearchImageSetsCommand({ datastoreId, searchCriteria: {}, maxResults: 50, nextToken }),
    );
    summaries.push(...page.imageSetsMetadataSummaries);
    nextToken = page.nextToken;
  } while (nextToken);
  const sets = [];
  for (const { imageSetId, version } of summaries) {
    const { imageSetMetadataBlob } = await imaging.send(
      new GetImageSetMetadataCommand({ datastoreId, imageSetId }),
    );
    const metadata = JSON.parse(gunzipSync(await imageSetMetadataBlob.transformToByteArray()).toString());
    sets.push({ imageSetId, version, metadata });
  }
  return sets;
}

/** SOP Instance UID → the image sets that hold it. */
export function instancesOf(sets) {
  const holders = new Map();
  for (const { imageSetId, metadata } of sets)
    for (const series of Object.values(metadata.Study.Series))
      for (const uid of Object.keys(series.Instances))
        holders.set(uid, [...(holders.get(uid) ?? []), imageSetId]);
  return holders;
}

/** Imports one of our TypeScript sources from a plain script; packages stay outside the bundle. */
export async function loadSource(path) {
  const outfile = join(
    root,
    '.cache',
    'sources',
    `${path.replaceAll('/', '.').replace(/\.ts$/, '')}.${process.pid}.mjs`,
  );
  await build({
    absWorkingDir: root,
    entryPoints: [path],
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    packages: 'external',
    outfile,
    logLevel: 'warning',
  });
  try {
    return await import(pathToFileURL(outfile).href);
  } finally {
    await rm(outfile, { force: true });
  }
}
