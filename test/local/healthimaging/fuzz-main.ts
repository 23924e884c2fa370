/** 10,000 random requests against a fresh server: what was answered, and what the memory did. `SEED` repeats a run. */
import { startHealthImaging } from '../../../local/healthimaging/server.ts';
import { fuzz } from './fuzz.ts';

const seed = Number(process.env.SEED ?? Date.now() % 1_000_000);
const requests = Number(process.env.REQUESTS ?? 10_000);
const server = await startHealthImaging({ fsync: false, s3Endpoint: 'http://127.0.0.1:9' });
const warm = await fuzz(server.endpoint, { seed: seed + 1, requests: 500 });
const before = process.memoryUsage().rss;
const first = await fuzz(server.endpoint, { seed, requests: requests / 2 });
const middle = process.memoryUsage().rss;
const second = await fuzz(server.endpoint, { seed: seed + 2, requests: requests / 2 });
const end = process.memoryUsage().rss;
await server.close();
const megabytes = (bytes: number) => Math.round(bytes / 1e6);
const statuses = { ...first.statuses };
for (const [status, count] of Object.entries(second.statuses))
  statuses[Number(status)] = (statuses[Number(status)] ?? 0) + count;
const problems = [...warm.problems, ...first.problems, ...second.problems];
const grownMegabytes = { firstHalf: megabytes(middle - before), secondHalf: megabytes(end - middle) };
console.log(JSON.stringify({ seed, requests, statuses, grownMegabytes, problems }));
process.exitCode = problems.length > 0 ? 1 : 0;
