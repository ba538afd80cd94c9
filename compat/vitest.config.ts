import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    root: import.meta.dirname,
    include: ['test/**/*.test.ts'],
    // Symbolic links point to packages outside `node_modules`. Node loads those packages, so that adapters and tests
    // share one copy.
    server: { deps: { external: [/\/packages\/[^/]+\/dist\//] } },
    // The time limit only stops tests that hang.
    testTimeout: 180_000,
    hookTimeout: 180_000,
    maxWorkers: 2,
    // CI reads the counts; people read the default report.
    reporters:
      process.env.VITEST_JSON === undefined
        ? ['default']
        : ['default', ['json', { outputFile: process.env.VITEST_JSON }]],
  },
})
