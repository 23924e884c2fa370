/** `isocenter doctor`: what could be in the way on this machine, and what to do about it. */
import { statfs } from 'node:fs/promises';
import { createServer } from 'node:net';
import { findRunningWorld } from '../local/world/world.ts';
import { dataDirectory, dataDirectoryExists, prepareDataDirectory } from './data-directory.ts';
import { EXIT, oneLine } from './errors.ts';
import { bytes } from './progress.ts';
import { table } from './table.ts';
import type { Terminal } from './terminal.ts';

interface Finding {
  readonly what: string;
  readonly state: 'ok' | 'note' | 'problem';
  readonly says: string;
}

const PORTS: readonly (readonly [number, string])[] = [
  [4080, 'console'],
  [4081, 'HealthImaging'],
  [4082, 'S3'],
  [4083, 'Step Functions'],
];
const LITTLE_DISK_BYTES = 1_000_000_000;

/** Exit code 1 when something is in the way. */
export async function doctor(
  options: { readonly data?: string; readonly json?: boolean },
  terminal: Terminal,
): Promise<number> {
  const dataDir = dataDirectory(options.data);
  const findings = [node(), ...(await dataFindings(dataDir)), ...(await ports(dataDir)), credentials()];
  if (options.json) terminal.result(JSON.stringify(findings, null, 2));
  else for (const line of lines(findings, terminal)) terminal.result(line);
  return findings.some(({ state }) => state === 'problem') ? EXIT.failed : EXIT.ok;
}

function node(): Finding {
  return {
    what: 'Node',
    state: 'ok',
    says: `${process.versions.node} on ${process.platform} ${process.arch}`,
  };
}

async function dataFindings(dataDir: string): Promise<Finding[]> {
  const what = 'data directory';
  if (!dataDirectoryExists(dataDir))
    return [{ what, state: 'note', says: `${dataDir} is made at the first start` }];
  try {
    prepareDataDirectory(dataDir);
  } catch (error) {
    return [{ what, state: 'problem', says: oneLine(error) }];
  }
  const { bavail, bsize } = await statfs(dataDir);
  const free = Number(bavail) * Number(bsize);
  return [
    { what, state: 'ok', says: dataDir },
    { what: 'disk', state: free < LITTLE_DISK_BYTES ? 'problem' : 'ok', says: `${bytes(free)} free` },
  ];
}

async function ports(dataDir: string): Promise<Finding[]> {
  const running = await findRunningWorld(dataDir);
  if (running !== undefined)
    return [{ what: 'world', state: 'ok', says: `runs as process ${running.pid}: ${running.consoleUrl}` }];
  const taken: string[] = [];
  for (const [port, name] of PORTS) if (!(await isFree(port))) taken.push(`${port} (${name})`);
  const says =
    taken.length === 0 ? '4080 to 4083 are free' : `${taken.join(', ')} taken: the next free ones are used`;
  return [
    { what: 'world', state: 'note', says: 'does not run: start it with isocenter up' },
    { what: 'ports', state: taken.length === 0 ? 'ok' : 'note', says },
  ];
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

/** Only whether there is something; never what. */
function credentials(env = process.env): Finding {
  const endpoint = env.AWS_ENDPOINT_URL_MEDICAL_IMAGING;
  if (endpoint !== undefined)
    return { what: 'AWS SDKs', state: 'note', says: `this shell points them at ${endpoint}` };
  const has = env.AWS_ACCESS_KEY_ID !== undefined || env.AWS_PROFILE !== undefined;
  return {
    what: 'AWS SDKs',
    state: 'note',
    says: has
      ? 'this shell has credentials for AWS'
      : 'this shell has none; the local world needs none: eval "$(npx isocenter env)"',
  };
}

function lines(findings: readonly Finding[], { colours }: Terminal): string[] {
  const mark = { ok: colours.green('ok'), note: '·', problem: colours.red('problem') };
  return table(findings.map(({ what, state, says }) => [mark[state], what, says]));
}
