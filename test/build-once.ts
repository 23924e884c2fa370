/** Workers and functions run from `dist/`: built once before the tests, when the sources changed. */
export async function setup(): Promise<void> {
  const { buildAll } = (await import('../scripts/build.mjs' as string)) as { buildAll(): Promise<boolean> };
  await buildAll();
}
