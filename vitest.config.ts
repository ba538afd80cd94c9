import { defineConfig } from 'vitest/config'
import longOnly from './test/long-only.json' with { type: 'json' }
import { isLong } from './test/tier.js'

/** Packages whose tests can share a process, which then loads their imports only once. */
const SHARED_PROCESS = [
  'packages/{crypto,ledger,core,policy,witness,mcp}/test/**/*.test.ts',
  'apps/cli/test/**/*.test.ts',
]

/** Files that the README's test command excludes. */
const LEFT_OUT = ['**/node_modules/**', ...(isLong ? [] : longOnly)]

/** The settings of both projects. */
const common = {
  // The time limit only stops tests that hang: a slow or busy machine may take four times as long as usual.
  testTimeout: 180_000,
  hookTimeout: 180_000,
  expect: { poll: { timeout: 60_000 } },
  // Selects a folder in which the first test that needs PostgreSQL starts a server.
  globalSetup: ['packages/postgres/test/server/global-setup.ts'],
}

export default defineConfig({
  test: {
    projects: [
      {
        // A hook at the top of a shared module runs only for the first file that imports it: put hooks into functions.
        test: { name: 'packages', include: SHARED_PROCESS, exclude: LEFT_OUT, isolate: false, ...common },
      },
      {
        test: {
          name: 'whole',
          include: ['{packages,apps}/*/test/**/*.test.ts', '{examples/,}test/**/*.test.ts'],
          exclude: [...LEFT_OUT, ...SHARED_PROCESS],
          ...common,
        },
      },
    ],
    // Many tests wait for a process, a lock or a timeout, so three concurrent files keep two cores busy.
    maxWorkers: 3,
    teardownTimeout: 60_000,
    // CI reads the counts; people read the default report.
    reporters:
      process.env.VITEST_JSON === undefined
        ? ['default']
        : ['default', ['json', { outputFile: process.env.VITEST_JSON }]],
  },
})
