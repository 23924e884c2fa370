/**
 * Kills the whole world with SIGKILL at a random moment of an ingest, starts it again on the same data, and holds it
 * against invariants 2 and 5: every object that the store had acknowledged is accounted for exactly once with the
 * outcome that it should have, nothing stays in the inbox, and no instance is stored or imported twice.
 *
 *   node test/e2e/kill-restart.mjs --times 20 --seed 7
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { GetExecutionHistoryCommand, ListExecutionsCommand } from '@aws-sdk/client-sfn';
import {
  clientsOf,
  instancesOf,
  listKeys,
  loadSource,
  readNdjson,
  readText,
  startWorldProcess,
  storedImageSets,
} from './world-process.mjs';

process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';

const UPLOAD = 'crash test';
/** After which state the kill comes; the first is the sending itself. The same on a slow and on a fast machine. */
const STATES = [
  'sending',
  'TakeUpload',
  'InspectObjects',
  'PlanImport',
  'StageObjects',
  'ImportBatches',
  'VerifyFrames',
  'MergeVariants',
  'WriteReport',
  'ClearInbox',
  'ReleaseUpload',
];
const KILL_WITHIN_MS = 1_500;
const SETTLE_WITHIN_MS = 180_000;

/** One crash. `random`: gives numbers in 0…1 that decide when. Returns what happened; throws what is wrong. */
export async function crashOnce(files, random) {
  const dataDir = await mkdtemp(join(tmpdir(), 'isocenter-crash-'));
  const state = STATES[Math.floor(random() * STATES.length)];
  const laterMs = Math.round(random() * KILL_WITHIN_MS);
  let running = await startWorldProcess(dataDir);
  try {
    const acknowledged = new Map();
    const watch = { entered: new Set() };
    const both = Promise.allSettled([
      putAll(running.world, files, acknowledged),
      watchStates(running.world, watch),
    ]);
    if (state !== 'sending') await until(() => watch.entered.has(state), state);
    await sleep(laterMs);
    await running.kill();
    await both;
    const started = Date.now();
    running = await startWorldProcess(dataDir);
    await untilSettled(running.world);
    const settledMs = Date.now() - started;
    const counts = await account(running.world, files, acknowledged);
    const killedIn = [...watch.entered].at(-1) ?? 'before the first state';
    return { killedIn, laterMs, acknowledged: acknowledged.size, settledMs, ...counts };
  } catch (error) {
    throw new Error(`killed ${laterMs} ms after ${state}: ${error.message}\n${running.log()}`, {
      cause: error,
    });
  } finally {
    await running.stop();
    await rm(dataDir, { recursive: true, force: true });
  }
}

async function until(condition, what) {
  const end = Date.now() + SETTLE_WITHIN_MS;
  while (!condition()) {
    if (Date.now() > end) throw new Error(`never came to ${what}`);
    await sleep(20);
  }
}

async function putAll(world, files, acknowledged) {
  const { s3 } = clientsOf(world);
  for (const { path, bytes } of files) {
    const key = `${UPLOAD}/${path}`;
    await s3.send(new PutObjectCommand({ Bucket: world.inboxBucket, Key: key, Body: bytes }));
    acknowledged.set(key, path);
  }
}

/** Remembers which states were entered, until the world is gone. */
async function watchStates(world, watch) {
  const { sfn } = clientsOf(world);
  for (;;) {
    const { executions } = await sfn.send(
      new ListExecutionsCommand({ stateMachineArn: world.stateMachineArns.ingest, maxResults: 10 }),
    );
    for (const { executionArn } of executions) {
      const { events } = await sfn.send(
        new GetExecutionHistoryCommand({ executionArn, reverseOrder: true, maxResults: 100 }),
      );
      for (const { stateEnteredEventDetails } of events.reverse())
        if (stateEnteredEventDetails) watch.entered.add(stateEnteredEventDetails.name);
    }
    await sleep(40);
  }
}

async function untilSettled(world) {
  const { s3, sfn } = clientsOf(world);
  const until = Date.now() + SETTLE_WITHIN_MS;
  while (Date.now() < until) {
    const waiting = await listKeys(s3, world.inboxBucket);
    const { executions } = await sfn.send(
      new ListExecutionsCommand({ stateMachineArn: world.stateMachineArns.ingest, statusFilter: 'RUNNING' }),
    );
    if (waiting.length === 0 && executions.length === 0) return;
    await sleep(300);
  }
  throw new Error(`not settled within ${SETTLE_WITHIN_MS / 1000} s`);
}

async function account(world, files, acknowledged) {
  const { s3, imaging } = clientsOf(world);
  const lines = await reportedLines(s3, world.workBucket);
  const expected = new Map(files.map((file) => [`${UPLOAD}/${file.path}`, file.expected]));
  const problems = [];
  for (const key of acknowledged.keys())
    if (!lines.has(key)) problems.push(`${key}: acknowledged, in no report`);
  for (const [key, found] of lines) {
    const outcomes = found.map(({ outcome, code }) => (code ? `${outcome} ${code}` : outcome)).join(' + ');
    const { outcome, code } = expected.get(key) ?? {};
    // A group that was cut by the crash may be judged with fewer members; then either side may be the smaller one.
    const wanted = code ? `${outcome} ${code}` : outcome;
    if (outcomes !== wanted && acknowledged.size === files.length)
      problems.push(`${key}: ${outcomes}, expected ${wanted}`);
    else if (found.length !== 1) problems.push(`${key}: accounted for ${found.length} times`);
  }
  const sets = await storedImageSets(imaging, world.datastoreId);
  for (const [uid, holders] of instancesOf(sets))
    if (holders.length !== 1) problems.push(`${uid}: stored in ${holders.length} image sets`);
  const ingested = [...lines.values()].flat().filter(({ outcome }) => outcome === 'ingested').length;
  if (instancesOf(sets).size !== ingested)
    problems.push(`${instancesOf(sets).size} instances stored, ${ingested} reported as ingested`);
  problems.push(...(await importedTwice(s3, world.workBucket)));
  if (problems.length > 0) throw new Error(problems.join('\n'));
  return { accounted: lines.size, stored: instancesOf(sets).size };
}

/** Key → its lines in all reports. */
async function reportedLines(s3, workBucket) {
  const lines = new Map();
  const keys = await listKeys(s3, workBucket, 'executions/');
  for (const key of keys.filter((name) => name.endsWith('/report.json'))) {
    const report = JSON.parse(await readText(s3, workBucket, key));
    if (report.outcome === 'Coalesced') continue;
    for (const line of await readNdjson(s3, workBucket, key.replace('report.json', 'objects.ndjson')))
      lines.set(line.key, [...(lines.get(line.key) ?? []), line]);
  }
  return lines;
}

/** HealthImaging's own output: each staged object was imported by one job only. */
async function importedTwice(s3, workBucket) {
  const seen = new Map();
  for (const key of await listKeys(s3, workBucket, 'executions/'))
    if (key.endsWith('/SUCCESS/success.ndjson'))
      for (const { inputFile } of await readNdjson(s3, workBucket, key))
        seen.set(inputFile, (seen.get(inputFile) ?? 0) + 1);
  return [...seen]
    .filter(([, times]) => times > 1)
    .map(([file, times]) => `${file}: imported ${times} times`);
}

/** A sequence of numbers in 0…1 that follows from the seed (mulberry32). */
export function randomOf(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

export async function crashMany(times, seed, log) {
  const { demoFiles } = await loadSource('local/demo/demo.ts');
  const files = [...demoFiles('current')];
  const random = randomOf(seed);
  for (let run = 1; run <= times; run += 1) {
    const seen = await crashOnce(files, random);
    log(
      `${run}/${times}: killed in ${seen.killedIn} (+${seen.laterMs} ms), ${seen.acknowledged} of ${files.length} sent; ` +
        `settled ${seen.settledMs} ms after the restart: ${seen.accounted} accounted for, ${seen.stored} instances stored once`,
    );
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({ options: { times: { type: 'string' }, seed: { type: 'string' } } });
  const seed = Number(values.seed ?? Date.now() % 1_000_000);
  console.log(`seed ${seed}`);
  await crashMany(Number(values.times ?? 1), seed, console.log);
}
