/**
 * What an ingest asks of the services, counted on the local world, whose definitions and functions are those that deploy:
 * transitions, invocations, and requests by operation, an instance; beside the targets of design section 12. The quiet
 * time is that of a deployment, as the looks at an upload that still grows are counted too.
 *   node bench/requests.mjs [instances] [rows] [file]     with a file, adds the run to it (shared/estimate/counted-runs.json)
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ListObjectsV2Command, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { GetExecutionHistoryCommand, ListExecutionsCommand, SFNClient } from '@aws-sdk/client-sfn';
import { startWorld } from '../dist/local/index.js';
import { load } from './pool.mjs';

const instances = Number(process.argv[2] ?? 1000);
const rows = Number(process.argv[3] ?? 32);
const file = process.argv[4];
/** Instances a series, as a CT has them. */
const PER_SERIES = 250;
const AT_ONCE = 16;

const { ctInstance } = await load('local/demo/series.ts');
const { writeP10 } = await load('shared/dicom/write.ts');

function instanceAt(n) {
  const series = Math.floor(n / PER_SERIES);
  const place = {
    patient: { id: `BENCH-${series}`, name: 'BENCH^REQUESTS', birthDate: '19700101', sex: 'O' },
    study: `bench/${series}`,
    series: `bench/${series}/ct`,
    seriesNumber: 1,
    instance: (n % PER_SERIES) + 1,
    description: 'requests',
  };
  return writeP10(ctInstance(place, { rows, columns: rows }, (n % PER_SERIES) / PER_SERIES, n));
}

/** How often each state of the standard workflows was entered; children of distributed maps count as `(child)`. */
async function statesEntered(sfn, world) {
  const entered = {};
  const add = (name, n = 1) => {
    entered[name] = (entered[name] ?? 0) + n;
  };
  for (const [machine, stateMachineArn] of Object.entries(world.stateMachineArns)) {
    const { executions = [] } = await sfn.send(new ListExecutionsCommand({ stateMachineArn }));
    for (const { executionArn } of executions) {
      const { events } = await sfn.send(new GetExecutionHistoryCommand({ executionArn, maxResults: 1000 }));
      for (const { stateEnteredEventDetails } of events)
        if (stateEnteredEventDetails) add(`${machine}: ${stateEnteredEventDetails.name}`);
    }
  }
  const told = Object.values(entered).reduce((sum, n) => sum + n, 0);
  add('children of maps, their states, and retries', world.counters().transitions - told);
  return entered;
}

const dataDir = await mkdtemp(join(tmpdir(), 'isocenter-requests-'));
const world = await startWorld({ dataDir, basePort: 0, parameters: { quietSeconds: '60' } });
try {
  const access = { region: world.region, credentials: { accessKeyId: 'x', secretAccessKey: 'x' } };
  const s3 = new S3Client({ ...access, endpoint: world.s3Url, forcePathStyle: true });
  const sfn = new SFNClient({ ...access, endpoint: world.stepFunctionsUrl });
  const started = performance.now();
  for (let n = 0; n < instances; n += AT_ONCE) {
    const some = Array.from({ length: Math.min(AT_ONCE, instances - n) }, (_, i) => n + i);
    await Promise.all(
      some.map((i) =>
        s3.send(
          new PutObjectCommand({ Bucket: world.inboxBucket, Key: `bench/${i}.dcm`, Body: instanceAt(i) }),
        ),
      ),
    );
  }
  console.error(`uploaded after ${((performance.now() - started) / 1000).toFixed(0)} s`);
  const isDone = async () => {
    const { KeyCount } = await s3.send(new ListObjectsV2Command({ Bucket: world.inboxBucket, MaxKeys: 1 }));
    const { executions } = await sfn.send(
      new ListExecutionsCommand({ stateMachineArn: world.stateMachineArns.ingest, statusFilter: 'RUNNING' }),
    );
    return KeyCount === 0 && executions.length === 0;
  };
  while (!(await isDone())) await new Promise((resolve) => setTimeout(resolve, 1000));
  const seconds = (performance.now() - started) / 1000;

  const { transitions, express, invocations, invocationsByFunction, gigabyteSeconds, requests } =
    world.counters();
  if (file) {
    const runs = JSON.parse(await readFile(file, 'utf8').catch(() => '[]'));
    const run = {
      instances,
      rows,
      transitions,
      express,
      invocations,
      gigabyteSeconds: Number(gigabyteSeconds.toFixed(3)),
      requests,
    };
    const others = runs.filter((one) => one.instances !== instances || one.rows !== rows);
    const sorted = [...others, run].sort((a, b) => a.instances - b.instances);
    await writeFile(file, `${JSON.stringify(sorted, null, 2)}\n`);
  }
  const each = (n) => (n / instances).toFixed(4);
  const sum = (prefix) =>
    Object.entries(requests)
      .filter(([name]) => name.startsWith(prefix))
      .reduce((total, [, n]) => total + n, 0);
  const withoutVerification = invocations - (invocationsByFunction['isocenter-local-verifyFrames'] ?? 0);
  console.log(`${instances} instances of ${rows} × ${rows}, ${seconds.toFixed(1)} s`);
  console.log(`transitions     ${each(transitions)} an instance (target ≤ 0.02 for 10,000)`);
  console.log(
    `express         ${each(express.executions)} executions, ${each(express.billedMilliseconds)} ms billed`,
  );
  console.log(
    `invocations     ${each(withoutVerification)} without verification (≤ 0.1), ${each(invocations)} with`,
  );
  console.log(`S3 requests     ${each(sum('s3:'))} (≤ 4)`);
  console.log(`GetImageFrame   ${each(requests['medical-imaging:GetImageFrame'] ?? 0)} (exactly 1 a frame)`);
  for (const [name, n] of Object.entries(requests).sort(([, a], [, b]) => b - a))
    console.log(`  ${name.padEnd(40)} ${String(n).padStart(7)}  ${each(n)}`);
  console.log(`states entered: ${transitions} transitions`);
  const entered = await statesEntered(sfn, world);
  for (const [name, n] of Object.entries(entered).sort(([, a], [, b]) => b - a))
    console.log(`  ${name.padEnd(50)} ${String(n).padStart(5)}`);
} finally {
  await world.close();
  await rm(dataDir, { recursive: true, force: true });
}
