/** Packaging: offline, the same every time, and `local/template.json` is what it gives. */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';

// The deploy tool alone takes seconds, and more on a busy machine.
vi.setConfig({ testTimeout: 180_000 });

interface Packaging {
  packageStack(options: { folder: string; pairs?: string[] }): Promise<{ template: { Resources: object } }>;
  templateText(template: object): string;
}

const root = join(import.meta.dirname, '../..');
const { packageStack, templateText } = (await import('../../scripts/package.mjs' as string)) as Packaging;

async function inFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'isocenter-package-'));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

it('keeps local/template.json as serverless.yml says (npm run package writes it)', async () => {
  await inFolder(async (folder) => {
    const { template } = await packageStack({ folder });
    const committed = await readFile(join(root, 'local/template.json'), 'utf8');
    expect(templateText(template) === committed, 'local/template.json is stale: npm run package').toBe(true);
    const zips = (await readdir(folder)).filter((name) => name.endsWith('.zip'));
    const functions = Object.keys(template.Resources).filter((id) => id.endsWith('LambdaFunction'));
    expect(zips).toHaveLength(functions.length);
  });
});

it('tells every wrong parameter before anything is packaged', async () => {
  await inFolder(async (folder) => {
    const pairs = ['quietSeconds=soon', 'colour=red', 'consoleClientId=client-1'];
    await expect(packageStack({ folder, pairs })).rejects.toThrow(
      /colour: unknown[\s\S]*quietSeconds: expected .* got "soon"[\s\S]*consoleIssuer and consoleClientId are given together/,
    );
    expect(await readdir(folder)).toEqual([]);
  });
});
