/** The store as a process of its own, to be killed: bundled once a test file, started as often as needed. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('../../..', import.meta.url));

export interface ServerProcess {
  readonly url: string;
  readonly process: ChildProcess;
  /** Kills with SIGKILL and waits for the end. */
  kill(): Promise<void>;
}

export async function bundleServer() {
  const folder = join(root, '.cache', `test-s3-${process.pid}-${Date.now()}`);
  const server = join(folder, 'server.mjs');
  await build({
    entryPoints: [join(root, 'local/s3/server.ts')],
    outfile: server,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    packages: 'external',
    logLevel: 'warning',
  });
  const main = join(folder, 'main.mjs');
  await writeFile(
    main,
    `import { startS3 } from './server.mjs';
     const server = await startS3({ dataDir: process.argv[2] });
     await server.createBucket('bucket');
     setInterval(() => process.send({ rssBytes: process.memoryUsage.rss() }), 20).unref();
     process.send({ url: server.url });`,
  );
  return {
    async start(dataDir: string): Promise<ServerProcess> {
      const child = fork(main, [dataDir], { execArgv: [] });
      const [message] = (await once(child, 'message')) as [{ url: string }];
      return {
        url: message.url,
        process: child,
        async kill() {
          const ended = once(child, 'exit');
          child.kill('SIGKILL');
          await ended;
        },
      };
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}
