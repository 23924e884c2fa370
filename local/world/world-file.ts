/** `DIR/world.json`: how other processes find a running world (design section 5). */
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** What `world.json` says. URLs use 127.0.0.1. */
export interface WorldFile {
  readonly consoleUrl: string;
  readonly healthImagingUrl: string;
  readonly s3Url: string;
  readonly stepFunctionsUrl: string;
  readonly region: string;
  readonly datastoreId: string;
  readonly dataAccessRoleArn: string;
  readonly inboxBucket: string;
  readonly workBucket: string;
  /** By name without the stack's: `ingest`, `import-batch`. */
  readonly stateMachineArns: Readonly<Record<string, string>> & { readonly ingest: string };
  readonly pid: number;
}

const fileOf = (dataDir: string) => join(dataDir, 'world.json');

/** Written whole or not at all. */
export async function writeWorldFile(dataDir: string, world: WorldFile): Promise<void> {
  const temporary = `${fileOf(dataDir)}.${process.pid}`;
  await writeFile(temporary, `${JSON.stringify(world, null, 2)}\n`);
  await rename(temporary, fileOf(dataDir));
}

export async function removeWorldFile(dataDir: string): Promise<void> {
  await rm(fileOf(dataDir), { force: true });
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** The world that runs on `dataDir`: its process is alive and its console says that it is that process. */
export async function findRunningWorld(dataDir: string): Promise<WorldFile | undefined> {
  try {
    const world = JSON.parse(await readFile(fileOf(dataDir), 'utf8')) as WorldFile;
    if (!isAlive(world.pid)) return undefined;
    const answer = await fetch(`${world.consoleUrl}/health`, { signal: AbortSignal.timeout(3000) });
    const health = (await answer.json()) as { pid?: number };
    return answer.ok && health.pid === world.pid ? world : undefined;
  } catch {
    return undefined;
  }
}
