import { defineConfig } from 'vitest/config'
import longOnly from './test/long-only.json' with { type: 'json' }
import { isLong } from './test/tier.js'

/** Packages whose tests leave nothing behind: one process runs many of their files, so that what they import is loaded once. */
const SHARED_PROCESS = [
  'packages/{crypto,ledger,core,policy,witness,mcp}/test/**/*.test.ts',
  'apps/cli/test/**/*.test.ts',
]

/** What the README's test command leaves out. */
const LEFT_OUT = ['**/node_modules/**', ...(isLong ? [] : longOnly)]

/** For both projects. */
const common = {
  // A limit of time is for what hangs. What a slow or busy machine takes four times as long for is no failure.
  testTimeout: 180_000,
  hookTimeout: 180_000,
  expect: { poll: { timeout: 60_000 } },
  // Names a folder; the first test that needs PostgreSQL starts it there.
  globalSetup: ['packages/postgres/test/server/global-setup.ts'],
}

export default defineConfig({
  test: {
    projects: [
      {
        // A hook at the top of a module that several files import would run for the first of them only: hooks belong into functions.
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
    // Many tests wait for a process, a lock or a timeout: three files at a time keep two cores busy.
    maxWorkers: 3,
    teardownTimeout: 60_000,
    // CI counts what passed; people read the default report.
    reporters:
      process.env.VITEST_JSON === undefined
        ? ['default']
        : ['default', ['json', { outputFile: process.env.VITEST_JSON }]],
  },
})
