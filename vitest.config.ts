import { defineConfig } from 'vitest/config';
import { LongestFirst } from './test/longest-first.ts';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/build-once.ts'],
    // The files of a worker share its process: what they import is loaded and compiled once, not once a file.
    isolate: false,
    setupFiles: ['test/shared-process.ts'],
    // As the local world sets it.
    env: { AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true' },
    testTimeout: 30_000,
    hookTimeout: 60_000,
    sequence: { sequencer: LongestFirst },
    // On two cores: worlds often wait, for quiet uploads or for a restart.
    maxWorkers: 3,
  },
});
