/** 10,000 random requests against a fresh server: what was answered, and what the memory did. `SEED` repeats a run. */
import { startHealthImaging } from '../../../local/healthimaging/server.ts';
import { fuzz } from './fuzz.ts';

const seed = Number(process.env.SEED ?? Date.now() % 1_000_000);
const requests = Number(process.env.REQUESTS ?? 10_000);
const server = await startHealthImaging({ fsync: false, s3Endpoint: 'http://127.0.0.1:9' });
const warm = await fuzz(server.endpoint, { seed: seed + 1, requests: 500 });
const before = process.memoryUsage().rss;
const { statuses, problems } = await fuzz(server.endpoint, { seed, requests });
const grownMegabytes = Math.round((process.memoryUsage().rss - before) / 1e6);
await server.close();
console.log(
  JSON.stringify({ seed, requests, statuses, grownMegabytes, problems: [...warm.problems, ...problems] }),
);
process.exitCode = problems.length > 0 ? 1 : 0;
