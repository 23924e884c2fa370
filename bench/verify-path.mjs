/**
 * The whole verify path (metadata and frames over HTTP from our own server in another process, decode, CRC-32,
 * judgement) beside a bare decode and CRC-32 loop of the same codec over the same frames. Every ratio is of one run.
 * Processor time is of this process only; the server's is told apart. Workers are threads of both sides.
 *   node bench/verify-path.mjs [seconds per cell] [part of a material's name]
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MedicalImagingClient } from '@aws-sdk/client-medical-imaging';
import { bin } from '../test/e2e/world-process.mjs';
import { bareWorkers } from './bare-decode.mjs';
import { load } from './pool.mjs';
import { MATERIAL, p10Objects } from './verify-material.mjs';

const seconds = Number(process.argv[2] ?? 3);
const only = process.argv[3] ?? '';
const { createCodecPool } = await load('shared/pixels/codec-pool.ts');
const { verifyImageSets } = await load('shared/ingest/verify-datastore.ts');
const { healthImagingService } = await load('shared/adapters/healthimaging-service.ts');
const { systemClock } = await load('shared/ports/clock.ts');

/** Runs whole rounds for about the given time: frames a second and CPU milliseconds a frame. */
async function measure(round, framesARound) {
  let frames = 0;
  const [started, cpu] = [performance.now(), process.cpuUsage()];
  while (performance.now() - started < seconds * 1000) {
    await round();
    frames += framesARound;
  }
  const { user, system } = process.cpuUsage(cpu);
  return {
    frames,
    rate: frames / ((performance.now() - started) / 1000),
    cpuMs: (user + system) / 1000 / frames,
  };
}

async function startServer(folder) {
  const child = spawn(process.execPath, [bin, 'healthimaging', '--seed', folder, '--port', '0'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  const answer = await new Promise((resolve, reject) => {
    let text = '';
    ended.then(() => reject(new Error(`the server ended: ${text}`)));
    child.stdout.on('data', (chunk) => {
      text += chunk;
      const endpoint = /http:\/\/127\.0\.0\.1:\d+/.exec(text)?.[0];
      const datastoreId = /\b[0-9a-f]{32}\b/.exec(text)?.[0];
      if (endpoint && datastoreId) resolve({ endpoint, datastoreId });
    });
  });
  const close = () => {
    child.kill();
    return ended;
  };
  return { ...answer, pid: child.pid, close };
}

/** Processor milliseconds of another process so far (Linux; clock ticks of 10 ms). */
function cpuOf(pid) {
  try {
    const [, rest] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ');
    const fields = rest.split(' ');
    return (Number(fields[11]) + Number(fields[12])) * 10;
  } catch {
    return Number.NaN;
  }
}

async function onMaterial(name, material) {
  const folder = mkdtempSync(join(tmpdir(), 'isocenter-bench-'));
  let number = 0;
  for (const bytes of p10Objects(material)) writeFileSync(join(folder, `${++number}.dcm`), bytes);
  const server = await startServer(folder);
  const client = new MedicalImagingClient({
    endpoint: server.endpoint,
    disableHostPrefix: true,
    region: 'us-east-1',
    credentials: { accessKeyId: 'bench', secretAccessKey: 'bench' },
  });
  try {
    const imaging = healthImagingService(client, { datastoreId: server.datastoreId, dataAccessRoleArn: '' });
    const codestreams = await someFrames(imaging);
    console.log(`${name}: ${material.frames} frames, about ${codestreams[0].length} bytes each`);
    for (const workers of [1, 2, 4]) await compare({ imaging, codestreams, server, material, workers });
  } finally {
    client.destroy();
    await server.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Enough frames to be fair to caches, few enough to hold. */
async function someFrames(imaging) {
  for await (const { imageSetId } of imaging.listImageSets()) {
    const { Study } = await imaging.metadata(imageSetId);
    const instances = Object.values(Study.Series).flatMap(({ Instances }) => Object.values(Instances));
    const ids = instances.flatMap(({ ImageFrames }) => ImageFrames.map(({ ID }) => ID)).slice(0, 8);
    return Promise.all(ids.map((id) => imaging.frame(imageSetId, id)));
  }
  throw new Error('the data store holds no image set');
}

async function compare({ imaging, codestreams, server, material, workers }) {
  const bareThreads = await bareWorkers(workers, codestreams);
  const bare = await measure(bareThreads.round, codestreams.length * workers);
  await bareThreads.close();
  const codecs = createCodecPool({ workers });
  const all = { percent: 100, seed: '' };
  const round = () =>
    verifyImageSets(
      { imaging, codecs, clock: systemClock },
      imaging.listImageSets(),
      all,
      async (_, found) => {
        if (found?.counts.verified !== material.frames)
          throw new Error(`verified ${found?.counts.verified} of ${material.frames}`);
      },
    );
  await round();
  const serverCpu = cpuOf(server.pid);
  const path = await measure(round, material.frames);
  const serverMs = (cpuOf(server.pid) - serverCpu) / path.frames;
  await codecs.close();
  const figures = ({ rate, cpuMs }) =>
    `${rate.toFixed(0).padStart(6)}/s ${cpuMs.toFixed(3).padStart(7)} ms CPU`;
  console.log(
    `  ${workers} workers  bare ${figures(bare)}  path ${figures(path)}  ratio ${(path.rate / bare.rate).toFixed(2)} by clock,` +
      ` ${(bare.cpuMs / path.cpuMs).toFixed(2)} by CPU  (server ${serverMs.toFixed(3)} ms CPU beside)`,
  );
}

for (const [name, material] of Object.entries(MATERIAL))
  if (name.includes(only)) await onMaterial(name, material);
