#!/usr/bin/env node
/**
 * The `isocenter` command. In a clone it builds `dist/` first when the sources are newer; the published package
 * ships it. Everything else is in cli/main.ts.
 */
import { existsSync } from 'node:fs';

const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`isocenter: needs Node 20.19 or newer, this is ${process.versions.node}`);
  process.exit(1);
}

// The SDK says at every start that it will want Node 22 in 2027; that is ours to know, not the user's.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';

const inClone =
  existsSync(new URL('../scripts/build.mjs', import.meta.url)) &&
  existsSync(new URL('main.ts', import.meta.url));
if (inClone) {
  try {
    const { buildAll } = await import('../scripts/build.mjs');
    await buildAll();
  } catch (error) {
    const why =
      error.code === 'ERR_MODULE_NOT_FOUND'
        ? 'packages are missing: run npm start, or npm ci'
        : error.message;
    console.error(`isocenter: cannot build: ${why}`);
    process.exit(1);
  }
}
const { main } = await import('../dist/cli/main.js');
process.exitCode = await main(process.argv);
