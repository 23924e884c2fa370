/** `isocenter up`: the local world until it is stopped; with `--demo` it also ingests the demonstration. */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Behaviour, demoFiles } from '../local/demo/demo.ts';
import { findRunningWorld, startWorld, type World, type WorldFile } from '../local/world/world.ts';
import { dataDirectory, prepareDataDirectory } from './data-directory.ts';
import { deploymentOf, type LocalDeployment, startOrExplain } from './deployment.ts';
import { CommandFailed, EXIT } from './errors.ts';
import { ingestInto } from './ingest.ts';
import type { Terminal } from './terminal.ts';
import { untilSignal } from './until-signal.ts';
import { defaultUploadName, planUpload } from './upload/plan-upload.ts';
import { watchFolder } from './upload/watch-folder.ts';
import { worldLog } from './world-log.ts';

export interface UpOptions {
  readonly data?: string;
  readonly port?: number;
  readonly behaviour?: Behaviour;
  readonly watch?: string;
  readonly demo?: boolean;
  /** With `--demo`: stop after it, with the exit code of its report. */
  readonly once?: boolean;
}

export async function up(options: UpOptions, terminal: Terminal): Promise<number> {
  const dataDir = dataDirectory(options.data);
  prepareDataDirectory(dataDir);
  const running = await findRunningWorld(dataDir);
  if (running !== undefined)
    throw new CommandFailed(`a world already runs on ${dataDir} (pid ${running.pid}): ${running.consoleUrl}`);
  const world = await startOrExplain('the local world', () => startWorld(worldOptions(dataDir, options)));
  const stopped = untilSignal();
  const deployment = deploymentOf(world, dataDir, () => world.close());
  try {
    let exitCode: number = EXIT.ok;
    if (options.demo) {
      const demo = ingestDemo(deployment, options.behaviour ?? 'current', terminal);
      const first = await Promise.race([demo, stopped]);
      if (first === 'stopped') return EXIT.ok;
      exitCode = first;
    }
    if (options.once) return exitCode;
    printAddresses(world, dataDir, terminal);
    const watcher =
      options.watch === undefined ? undefined : await watchFolder(deployment, options.watch, terminal);
    await stopped;
    await watcher?.stop();
    return EXIT.ok;
  } finally {
    terminal.endProgress();
    await deployment.close();
  }
}

function worldOptions(dataDir: string, options: UpOptions): Parameters<typeof startWorld>[0] {
  return {
    dataDir,
    log: worldLog(dataDir),
    ...(options.port === undefined ? {} : { basePort: options.port }),
    ...(options.behaviour === undefined ? {} : { behaviour: options.behaviour }),
  };
}

/** Writes the demonstration to `DIR/demo`, where it can be looked at, and ingests it from there. */
async function ingestDemo(
  deployment: LocalDeployment,
  behaviour: Behaviour,
  terminal: Terminal,
): Promise<number> {
  const folder = join(deployment.dataDir, 'demo');
  await writeDemo(folder, behaviour);
  terminal.say(`the demonstration is in ${folder}: phantoms, no patients`);
  const upload = `demo-${defaultUploadName(new Date(), String(process.pid))}`;
  return ingestInto(deployment, { kind: 'files', plan: planUpload([folder], upload) }, upload, {}, terminal);
}

export async function writeDemo(folder: string, behaviour: Behaviour): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  for (const { path, bytes } of demoFiles(behaviour)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), bytes);
  }
}

export function printAddresses(world: WorldFile | World, dataDir: string, terminal: Terminal): void {
  const { colours } = terminal;
  const rows = [
    ['console', world.consoleUrl],
    ['HealthImaging, DICOMweb', world.healthImagingUrl],
    ['S3', `${world.s3Url}  inbox: ${world.inboxBucket}`],
    ['Step Functions', world.stepFunctionsUrl],
    ['data store', world.datastoreId],
    ['data', dataDir],
  ];
  terminal.result('');
  terminal.result(colours.bold('The local world runs'));
  for (const [name, value] of rows) terminal.result(`  ${name?.padEnd(24)}${value}`);
  terminal.result('');
  const where = dataDir === dataDirectory(undefined) ? '' : ` --data ${dataDir}`;
  terminal.result(`  your own files:  npx isocenter ingest PATH${where}`);
  terminal.result(`  for SDKs:        eval "$(npx isocenter env${where})"`);
  terminal.result('  to stop:         Ctrl-C');
}
