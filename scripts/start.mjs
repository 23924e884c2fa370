/**
 * `npm start`: from a bare checkout to the running local world with the demonstration ingested, in one command.
 * Installs what running needs, builds, then is `isocenter up --demo`; every option is passed on (`--once`, `--data`,
 * `--port`, `--behaviour`).
 */
import { fileURLToPath } from 'node:url';
import { checkNode, installMissing } from './install.mjs';

checkNode();
const root = fileURLToPath(new URL('..', import.meta.url));
installMissing(root, { dev: false });
process.argv = [
  process.argv[0],
  fileURLToPath(new URL('../cli/isocenter.mjs', import.meta.url)),
  'up',
  '--demo',
  ...process.argv.slice(2),
];
await import('../cli/isocenter.mjs');
