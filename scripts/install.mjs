/**
 * Decides whether `node_modules` holds what package-lock.json asks for, and installs it where it does not.
 * Needs nothing but Node and npm. Install scripts are never run: no package that we use needs one.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const OLDEST_NODE = [20, 19];

/** Ends the process with a plain sentence where this Node is too old for the sources. */
export function checkNode(version = process.versions.node) {
  const [major, minor] = version.split('.').map(Number);
  if (major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1])) return;
  console.error(`isocenter: needs Node ${OLDEST_NODE.join('.')} or newer, this is ${version}`);
  process.exit(1);
}

/** Names of the packages of the lock file that are not there in the wanted version. */
export function missingPackages(root, { dev }) {
  const wanted = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages;
  const installed = installedPackages(root);
  return Object.entries(wanted)
    .filter(([path, entry]) => path !== '' && !entry.optional && !entry.peer && (dev || !entry.dev))
    .filter(([path, entry]) => installed[path]?.version !== entry.version)
    .map(([path]) => path.replace(/^node_modules\//, ''));
}

/** What npm says it put into the nearest `node_modules`, as Node would look for it: here, then in each folder above. */
function installedPackages(root) {
  for (let folder = root; ; folder = dirname(folder)) {
    const record = join(folder, 'node_modules', '.package-lock.json');
    if (existsSync(record)) return JSON.parse(readFileSync(record, 'utf8')).packages;
    if (dirname(folder) === folder) return {};
  }
}

/** Runs `npm ci` when something is missing. `dev`: with what only tests and deploying need. Returns whether it did. */
export function installMissing(root, { dev }) {
  const missing = missingPackages(root, { dev });
  if (missing.length === 0) return false;
  console.error(
    `installing ${missing.length} packages${dev ? '' : ' (what running needs, not what deploying needs)'} …`,
  );
  const args = [
    'ci',
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
    ...(dev ? ['--include=dev'] : ['--omit=dev']),
  ];
  const npm = process.env.npm_execpath;
  const [command, first] = npm?.endsWith('.js') ? [process.execPath, [npm]] : ['npm', []];
  const env = { ...process.env };
  delete env.NODE_ENV; // npm reads it as --omit=dev
  const { status } = spawnSync(command, [...first, ...args], { cwd: root, stdio: ['ignore', 2, 2], env });
  if (status !== 0) {
    console.error('isocenter: npm ci did not succeed (its words are above); is the npm registry in reach?');
    process.exit(1);
  }
  return true;
}
