// Measures the startup time of the command line, compared with Node alone.
//
//   node bench/startup.mjs [--quick] [--json FILE]
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { keptLedger } from './ledgers.mjs'
import { readOptions } from './options.mjs'
import { alternate } from './rounds.mjs'
import { report, row } from './table.mjs'

const { size, json, work } = readOptions()
const sudoagent = fileURLToPath(new URL('../apps/cli/bin/sudoagent.cjs', import.meta.url))
const sqlite = await keptLedger(work, 'sqlite', 10)
const jsonl = await keptLedger(work, 'jsonl', 10)

const { floor, version, verifySqlite, verifyJsonl } = await alternate(size(15, 1), {
  floor: () => run('-e', '0'),
  version: () => run(sudoagent, '--version'),
  verifySqlite: () => run(sudoagent, 'verify', sqlite),
  verifyJsonl: () => run(sudoagent, 'verify', jsonl),
})
report(
  'startup',
  [
    row({ work: 'sudoagent --version, floor node -e 0', unit: 'ms', floor, figure: version, atMost: 1.6 }),
    row({ work: 'sudoagent verify, 10 entries, SQLite', unit: 'ms', floor, figure: verifySqlite, atMost: 2.2 }),
    row({ work: 'sudoagent verify, 10 entries, JSONL', unit: 'ms', floor, figure: verifyJsonl, atMost: 2.2 }),
  ],
  json,
)

function run(...args) {
  const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`${args.join(' ')} exited with ${status}: ${stderr}`)
}
