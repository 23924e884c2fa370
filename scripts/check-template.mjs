/**
 * `node scripts/check-template.mjs [template.json]`: holds the packaged template against everything that can be known
 * without an account. Prints what is wrong and a table of bundle sizes; exit 1 when something is.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { checkAccess } from './template-checks/access.mjs';
import { checkDefinitions } from './template-checks/definitions.mjs';
import { bundleSizes, checkFunctions } from './template-checks/functions.mjs';
import { checkOpenings } from './template-checks/openings.mjs';
import { checkPermissions } from './template-checks/permissions.mjs';
import { checkReferences } from './template-checks/references.mjs';
import { checkResources } from './template-checks/resources.mjs';
import { checkWorkflowPermissions } from './template-checks/workflow-permissions.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Each check: template and the package's folder → problems, a line each (or a promise of them). */
export const CHECKS = {
  resources: checkResources,
  references: checkReferences,
  definitions: checkDefinitions,
  functions: checkFunctions,
  access: checkAccess,
  openings: checkOpenings,
  permissions: checkPermissions,
  workflows: checkWorkflowPermissions,
};

/** All problems of `template`, by check. */
export async function checkTemplate(template, folder = root) {
  const found = await Promise.all(
    Object.entries(CHECKS).map(async ([name, check]) =>
      (await check(template, folder)).map((problem) => `${name}: ${problem}`),
    ),
  );
  return found.flat();
}

const kilobytes = (bytes) => `${Math.ceil(bytes / 1024)} kB`.padStart(9);

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const template = JSON.parse(readFileSync(process.argv[2] ?? join(root, 'local', 'template.json'), 'utf8'));
  const problems = await checkTemplate(template);
  for (const { name, bytes, zippedBytes } of bundleSizes(template, root))
    console.log(`${name.padEnd(20)}${kilobytes(bytes)} ${kilobytes(zippedBytes)} zipped`);
  for (const problem of problems) console.error(problem);
  console.log(`${Object.keys(template.Resources).length} resources, ${problems.length} problems`);
  process.exitCode = problems.length > 0 ? 1 : 0;
}
