// Runs all benchmarks, each in its own process, so that a figure does not depend on earlier sections.
//
// A section is a file in this folder that accepts the options of `options.mjs` and writes its rows with `report`.
// Missing files, and sections that exit with 77 because they cannot run on this machine, are skipped.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, cpus, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { endWithUsage, readArguments } from '../tools/arguments.mjs'
import { entriesOf, SHARED_OPTIONS, SHARED_USAGE } from './options.mjs'

const SECTIONS = ['append', 'verify', 'stops', 'questions', 'waiting', 'query', 'startup', 'receipt', 'mcp', 'postgres']
const CANNOT_RUN = 77

const USAGE = `pnpm bench [--only append,verify] ${SHARED_USAGE}`

const only = { type: 'string', default: SECTIONS.join(',') }
const values = readArguments(USAGE, { ...SHARED_OPTIONS, only })
// Checked once, before the first section runs.
entriesOf(values, USAGE)
const chosen = values.only.split(',')
for (const name of chosen)
  if (!SECTIONS.includes(name))
    endWithUsage(USAGE, `\`${name}\` is not a section; the sections are ${SECTIONS.join(', ')}`)
const folder = mkdtempSync(join(tmpdir(), 'sudoagent-bench-'))
process.once('exit', () => rmSync(folder, { recursive: true, force: true }))

const cores = availableParallelism()
const machine = {
  node: process.version,
  platform: process.platform,
  cpu: cpus()[0]?.model ?? '',
  cores,
  load: loadavg()[0],
}
console.log(`${machine.cpu}, ${cores} cores, load ${machine.load.toFixed(1)}, Node ${machine.node}`)

const sections = {}
for (const name of chosen) {
  const script = fileURLToPath(new URL(`${name}.mjs`, import.meta.url))
  if (existsSync(script)) sections[name] = run(name, script)
}
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify({ machine, sections }, null, 2)}\n`)
if (Object.values(sections).includes(null)) process.exitCode = 1

/** Returns the rows of a section; null if the section failed, undefined if it cannot run on this machine. */
function run(name, script) {
  const rows = join(folder, `${name}.json`)
  const options = [values.quick ? ['--quick'] : [], values.entries === undefined ? [] : ['--entries', values.entries]]
  const args = [script, ...options.flat(), '--keep', values.keep ?? join(folder, 'ledgers'), '--json', rows]
  const { status } = spawnSync(process.execPath, args, { stdio: 'inherit' })
  if (status === CANNOT_RUN) return undefined
  return status === 0 ? JSON.parse(readFileSync(rows, 'utf8')) : null
}
