import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    root: import.meta.dirname,
    include: ['test/**/*.test.ts'],
    // Links lead out of `node_modules`, but they are packages: Node loads them, so that adapters and tests share them.
    server: { deps: { external: [/\/packages\/[^/]+\/dist\//] } },
    // A limit of time is for what hangs.
    testTimeout: 180_000,
    hookTimeout: 180_000,
    maxWorkers: 2,
    // CI counts what passed; people read the default report.
    reporters:
      process.env.VITEST_JSON === undefined
        ? ['default']
        : ['default', ['json', { outputFile: process.env.VITEST_JSON }]],
  },
})
