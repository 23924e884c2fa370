/**
 * `npm test`: installs what is missing, builds, runs Vitest, and ends with one line of figures. Arguments go to Vitest:
 * `npm test -- test/dicom`.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { checkNode, installMissing } from './install.mjs';

checkNode();
const root = fileURLToPath(new URL('..', import.meta.url));
installMissing(root, { dev: true });

const vitest = fileURLToPath(new URL('vitest.mjs', import.meta.resolve('vitest/package.json')));
const folder = mkdtempSync(join(tmpdir(), 'isocenter-test-'));
const outcome = join(folder, 'outcome.json');
const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${outcome}`];
const { status } = spawnSync(process.execPath, [vitest, 'run', ...reporters, ...process.argv.slice(2)], {
  cwd: root,
  stdio: 'inherit',
});
console.log(figures());
rmSync(folder, { recursive: true, force: true });
process.exit(status ?? 1);

/** `812 passed, 0 failed`; a file that could not even be loaded counts as a failed test. */
function figures() {
  try {
    const result = JSON.parse(readFileSync(outcome, 'utf8'));
    const unloaded = result.testResults.filter(
      (file) => file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed'),
    ).length;
    const skipped = result.numPendingTests + (result.numTodoTests ?? 0);
    return `${result.numPassedTests} passed, ${result.numFailedTests + unloaded} failed${skipped > 0 ? ` (${skipped} skipped)` : ''}`;
  } catch {
    return '0 passed, 1 failed (Vitest did not finish)';
  }
}
