import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: [
      'packages/*/test/**/*.test.ts',
      'apps/*/test/**/*.test.ts',
      'examples/test/**/*.test.ts',
      'test/**/*.test.ts',
    ],
    // Fault and multi-process tests start real processes; two cores are enough for two files at a time.
    maxWorkers: 2,
    // A limit of time is for what hangs. What a slow or busy machine takes four times as long for is no failure.
    testTimeout: 180_000,
    hookTimeout: 180_000,
    teardownTimeout: 60_000,
    expect: { poll: { timeout: 60_000 } },
    // Names a folder; the first test that needs PostgreSQL starts it there.
    globalSetup: ['packages/postgres/test/server/global-setup.ts'],
    // CI counts what passed; people read the default report.
    reporters:
      process.env.VITEST_JSON === undefined
        ? ['default']
        : ['default', ['json', { outputFile: process.env.VITEST_JSON }]],
  },
})
