/**
 * `npm run check`: what CI holds against every change: format and lint, types, tests, the packaged template. Runs all of
 * them, then says which did not pass. `--quick` leaves the tests out.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { checkNode, installMissing } from './install.mjs';

checkNode();
const root = fileURLToPath(new URL('..', import.meta.url));
installMissing(root, { dev: true });

const script = (name, ...args) => [process.execPath, fileURLToPath(new URL(name, import.meta.url)), ...args];
const tool = (bin, ...args) => ['npx', '--no-install', bin, ...args];
const templateChecks = readdirSync(new URL('.', import.meta.url))
  .filter((name) => /^check-template.*\.mjs$/.test(name))
  .sort();

const steps = [
  ['format and lint', tool('biome', 'check', '--error-on-warnings', '.')],
  ['types', tool('tsc', '--noEmit')],
  ['types of the console', tool('tsc', '--noEmit', '-p', 'console')],
  ...(process.argv.includes('--quick') ? [] : [['tests', script('test.mjs')]]),
  ['package', script('package.mjs')],
  ...templateChecks.map((name) => [name.replace('.mjs', ''), script(name)]),
];

const failed = [];
for (const [name, [command, ...args]] of steps) {
  console.log(`\n── ${name}`);
  const started = performance.now();
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: 'inherit' });
  if (error) console.error(error.message);
  if (status !== 0) failed.push(name);
  console.log(
    `── ${name}: ${status === 0 ? 'passed' : 'FAILED'} in ${((performance.now() - started) / 1000).toFixed(1)} s`,
  );
}
console.log(failed.length === 0 ? '\nall checks passed' : `\nnot passed: ${failed.join(', ')}`);
process.exit(failed.length === 0 ? 0 : 1);
