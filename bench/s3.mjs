/**
 * The S3-compatible store against the machine: 1 GB put and got with the official client beside copying the file with
 * hashing (design 12: at least half as fast, flat memory), and small objects per second with the main thread's time.
 * `node bench/s3.mjs [megabytes] [objects]`; prints JSON.
 */
import { fork } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream, readFileSync } from 'node:fs';
import { mkdtemp, open, rm, stat } from 'node:fs/promises';
import { Agent, createServer, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const MEGABYTE = 1024 ** 2;
const SMALL_BYTES = 512 * 1024;

if (process.argv[2] === '--serve') await serve(process.argv[3], process.argv[4]);
else await measure(Number(process.argv[2] ?? 1024), Number(process.argv[3] ?? 400));

/**
 * The child: only the store, telling its memory and its main thread's time when asked; and a bare HTTP server, which
 * shows what Node itself takes for the same body.
 */
async function serve(bundle, dataDir) {
  const { startS3 } = await import(pathToFileURL(bundle).href);
  const server = await startS3({ dataDir });
  await server.createBucket('bench');
  let peakBytes = 0;
  const timer = setInterval(() => {
    peakBytes = Math.max(peakBytes, process.memoryUsage.rss());
  }, 20);
  process.on('message', async (message) => {
    if (message === 'close') {
      clearInterval(timer);
      bare.close();
      bare.closeAllConnections();
      await server.close();
      process.disconnect();
      return;
    }
    const mainThread = mainThreadMilliseconds();
    const { user, system } = process.cpuUsage();
    process.send({ peakBytes, rssBytes: process.memoryUsage.rss(), mainThread, cpu: (user + system) / 1000 });
    peakBytes = 0;
  });
  const bare = createServer((request, response) => {
    request.resume();
    request.on('end', () => response.end());
  });
  bare.listen(0, '127.0.0.1', () => process.send({ url: server.url, barePort: bare.address().port }));
}

/** CPU time of the main thread; where the system does not tell it, the time that its loop was busy. */
function mainThreadMilliseconds() {
  try {
    return Number(readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'utf8').split(' ')[0]) / 1e6;
  } catch {
    return performance.eventLoopUtilization().active;
  }
}

async function measure(megabytes, objects) {
  const { buildAll } = await import('../scripts/build.mjs');
  await buildAll();
  const { build } = await import('esbuild');
  const folder = await mkdtemp(join(tmpdir(), 'isocenter-bench-'));
  const bundle = join(root, '.cache', `bench-s3-${process.pid}.mjs`);
  await build({
    entryPoints: [join(root, 'local/s3/server.ts')],
    outfile: bundle,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    packages: 'external',
    logLevel: 'warning',
  });
  const child = fork(fileURLToPath(import.meta.url), ['--serve', bundle, join(folder, 'data')]);
  const ask = (message) =>
    new Promise((resolve) => {
      child.once('message', resolve);
      if (message) child.send(message);
    });
  const { url, barePort } = await ask();
  const sdk = await import('@aws-sdk/client-s3');
  const client = new sdk.S3Client({
    endpoint: url,
    region: 'us-east-1',
    credentials: { accessKeyId: 'x', secretAccessKey: 'x' },
  });
  try {
    const large = await measureLarge({ sdk, client, ask, folder, megabytes });
    const small = await measureSmall({ sdk, client, ask, objects, barePort });
    console.log(JSON.stringify({ node: process.version, large, small }, null, 2));
  } finally {
    client.destroy();
    child.send('close');
    await new Promise((resolve) => child.once('exit', resolve));
    await rm(folder, { recursive: true, force: true });
    await rm(bundle, { force: true });
  }
}

async function measureLarge({ sdk, client, ask, folder, megabytes }) {
  const source = join(folder, 'source');
  await makeFile(source, megabytes);
  const copySeconds = await seconds(() => copyWithHashing(source, join(folder, 'copy')));
  const before = await ask('figures');
  const at = { Bucket: 'bench', Key: 'large' };
  const { size } = await stat(source);
  const body = createReadStream(source, { highWaterMark: MEGABYTE });
  const putSeconds = await seconds(() =>
    client.send(new sdk.PutObjectCommand({ ...at, Body: body, ContentLength: size })),
  );
  const put = await ask('figures');
  const getSeconds = await seconds(async () => {
    const { Body } = await client.send(new sdk.GetObjectCommand(at));
    await pipeline(Body, createWriteStream(join(folder, 'got')));
  });
  const got = await ask('figures');
  const equal = (await digest(source)) === (await digest(join(folder, 'got')));
  if (!equal) throw new Error('what was got is not what was put');
  const figures = (time) => ({
    seconds: round(time),
    megabytesPerSecond: Math.round(megabytes / time),
    toCopy: round(copySeconds / time),
  });
  return {
    megabytes,
    copyWithMd5: figures(copySeconds),
    put: figures(putSeconds),
    get: figures(getSeconds),
    serverMegabytes: {
      before: Math.round(before.rssBytes / MEGABYTE),
      peakInPut: Math.round(put.peakBytes / MEGABYTE),
      peakInGet: Math.round(got.peakBytes / MEGABYTE),
    },
  };
}

async function measureSmall({ sdk, client, ask, objects, barePort }) {
  const body = Buffer.alloc(SMALL_BYTES, 'small');
  const key = (n) => `small/${n}`;
  const get = async (n, range) => {
    const { Body } = await client.send(
      new sdk.GetObjectCommand({ Bucket: 'bench', Key: key(n), Range: range }),
    );
    await Body.transformToByteArray();
  };
  const copy = (n) => ({
    Bucket: 'bench',
    Key: `copy/${n}`,
    CopySource: `bench/${key(n)}`,
    ChecksumAlgorithm: 'SHA256',
  });
  const agent = new Agent({ keepAlive: true });
  const requests = {
    bareHttpPut: () => bareRequest({ port: barePort, host: '127.0.0.1', method: 'PUT', agent }, body),
    bareHttpHead: () => bareRequest({ port: barePort, host: '127.0.0.1', method: 'HEAD', agent }),
    put: (n) => client.send(new sdk.PutObjectCommand({ Bucket: 'bench', Key: key(n), Body: body })),
    head: (n) => client.send(new sdk.HeadObjectCommand({ Bucket: 'bench', Key: key(n) })),
    get,
    getFirst4K: (n) => get(n, 'bytes=0-4095'),
    copyWithSha256: (n) => client.send(new sdk.CopyObjectCommand(copy(n))),
    putTiny: (n) =>
      client.send(new sdk.PutObjectCommand({ Bucket: 'bench', Key: `tiny/${n}`, Body: '{"n":1}' })),
    delete: (n) => client.send(new sdk.DeleteObjectCommand({ Bucket: 'bench', Key: key(n) })),
  };
  const figures = {};
  for (const [name, send] of Object.entries(requests)) {
    const before = await ask('figures');
    const time = await seconds(() => inTurns(8, objects, send));
    const after = await ask('figures');
    figures[name] = {
      perSecond: Math.round(objects / time),
      mainThreadMilliseconds: round((after.mainThread - before.mainThread) / objects),
      allThreadsMilliseconds: round((after.cpu - before.cpu) / objects),
    };
  }
  agent.destroy();
  return { objects, bytes: SMALL_BYTES, atOnce: 8, ...figures };
}

function bareRequest(options, body) {
  return new Promise((resolve, reject) => {
    const headers = body ? { 'content-length': body.length } : {};
    const sent = request({ ...options, headers }, (answer) => answer.resume().on('end', resolve));
    sent.on('error', reject).end(body);
  });
}

/** What a store cannot do without: read, MD5 (the ETag), write. */
async function copyWithHashing(from, to) {
  const hash = createHash('md5');
  const hashing = new Transform({
    transform(chunk, _encoding, done) {
      hash.update(chunk);
      done(null, chunk);
    },
  });
  const highWaterMark = MEGABYTE;
  await pipeline(
    createReadStream(from, { highWaterMark }),
    hashing,
    createWriteStream(to, { highWaterMark }),
  );
  return hash.digest('hex');
}

async function makeFile(path, megabytes) {
  const file = await open(path, 'w');
  const block = Buffer.alloc(MEGABYTE);
  for (let n = 0; n < block.length; n += 4) block.writeUInt32LE((n * 2654435761) >>> 0, n);
  for (let n = 0; n < megabytes; n++) {
    block.writeUInt32LE(n, 0);
    await file.write(block);
  }
  await file.close();
}

async function digest(path) {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: MEGABYTE })) hash.update(chunk);
  return hash.digest('hex');
}

async function inTurns(atOnce, count, work) {
  let next = 0;
  const runner = async () => {
    for (let n = next++; n < count; n = next++) await work(n);
  };
  await Promise.all(Array.from({ length: atOnce }, runner));
}

async function seconds(work) {
  const started = performance.now();
  await work();
  return (performance.now() - started) / 1000;
}

function round(value) {
  return Math.round(value * 1000) / 1000;
}
