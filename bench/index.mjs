// All benchmarks, each in a process of its own: a figure must not depend on what ran before it.
//
// A section is a file here that takes the options of `options.mjs` and writes its rows with `report`. One that is not there, or says with exit
// code 77 that it cannot run on this machine, is passed over.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, cpus, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { endWithUsage, readArguments } from '../tools/arguments.mjs'
import { entriesOf, SHARED_OPTIONS, SHARED_USAGE } from './options.mjs'

const SECTIONS = ['append', 'verify', 'query', 'startup', 'receipt', 'mcp', 'postgres']
const CANNOT_RUN = 77

const USAGE = `pnpm bench [--only append,verify] ${SHARED_USAGE}`

const only = { type: 'string', default: SECTIONS.join(',') }
const values = readArguments(USAGE, { ...SHARED_OPTIONS, only })
// Before the first section runs, not in each of them.
entriesOf(values, USAGE)
const chosen = values.only.split(',')
for (const name of chosen)
  if (!SECTIONS.includes(name)) endWithUsage(USAGE, `\`${name}\` is no section; they are ${SECTIONS.join(', ')}`)
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

/** The rows of a section; null when it failed, undefined when it cannot run here. */
function run(name, script) {
  const rows = join(folder, `${name}.json`)
  const options = [values.quick ? ['--quick'] : [], values.entries === undefined ? [] : ['--entries', values.entries]]
  const args = [script, ...options.flat(), '--keep', values.keep ?? join(folder, 'ledgers'), '--json', rows]
  const { status } = spawnSync(process.execPath, args, { stdio: 'inherit' })
  if (status === CANNOT_RUN) return undefined
  return status === 0 ? JSON.parse(readFileSync(rows, 'utf8')) : null
}
