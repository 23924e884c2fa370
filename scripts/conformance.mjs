/** Renders docs/conformance.md from the shared DICOM material; `--check` only says whether it is up to date. */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { load } from '../bench/pool.mjs';

const page = fileURLToPath(new URL('../docs/conformance.md', import.meta.url));
process.env.ISOCENTER_SHARED_DICOM ??= fileURLToPath(new URL('../../shared/dicom', import.meta.url));
const { conformancePage } = await load('test/pixels/conformance.ts');
const wanted = await conformancePage();
if (!process.argv.includes('--check')) writeFileSync(page, wanted);
else if (readFileSync(page, 'utf8') !== wanted) {
  console.error('docs/conformance.md is not what the material gives: node scripts/conformance.mjs');
  process.exitCode = 1;
}
