// Checks that the benchmarks run and print the expected rows. The tests do not check the measured times, which are only
// for people who read the table.
import { execFile, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { byTier } from './tier.js'

const root = fileURLToPath(new URL('..', import.meta.url))
const OWN = byTier({
  short: ['append', 'startup', 'receipt'],
  long: ['append', 'verify', 'stops', 'questions', 'waiting', 'query', 'startup', 'receipt', 'mcp', 'postgres'],
})

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sudoagent-bench-test-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

it(`every section gives its rows, as text and as JSON: ${OWN}`, async () => {
  const json = join(folder, 'rows.json')
  const args = ['bench/index.mjs', '--quick', '--only', OWN.join(','), '--json', json]
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: root })
  const { machine, sections } = JSON.parse(readFileSync(json, 'utf8'))
  expect(machine).toEqual(expect.objectContaining({ node: process.version, cores: expect.any(Number) }))
  expect(Object.keys(sections)).toEqual(OWN)
  for (const rows of Object.values<Row[]>(sections)) {
    expect(rows.length).toBeGreaterThan(0)
    for (const row of rows) expectRow(row, stdout)
  }
  for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(100)
})

it.each([
  ['bench/index.mjs', ['--fast'], "Unknown option '--fast'"],
  ['bench/index.mjs', ['--only', 'apend'], '`apend` is not a section'],
  ['bench/index.mjs', ['--entries', '3'], '--entries must be a number of at least 1000'],
  ['bench/index.mjs', ['--entries', '-5'], "Option '--entries' argument is ambiguous"],
  ['bench/mcp.mjs', ['--calls', 'x'], '--calls must be a number of at least 1'],
  ['bench/verify.mjs', ['--entries', '3'], '--entries must be a number of at least 1000'],
  ['soak/soak.mjs', ['--minutes', 'x'], '--minutes must be a number'],
  ['soak/soak.mjs', ['--store', 'csv'], '`csv` is not a store'],
])('%s %j: one line, the usage, and 2', (script, args, problem) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...args], { cwd: root, encoding: 'utf8' })
  const [line, usage, ...more] = stderr.split('\n')
  expect({ status, stdout, more }).toEqual({ status: 2, stdout: '', more: [''] })
  expect(line).toContain(problem)
  expect(usage).toMatch(/^usage: /)
})

interface Row {
  readonly work: string
  readonly floor: number | null
  readonly figure: number
  readonly unit: string
  readonly ratio: number | null
  readonly target: string | null
  readonly met: boolean | null
}

function expectRow(row: Row, stdout: string): void {
  const { work, floor, figure, unit, ratio, target, met } = row
  expect(stdout).toContain(work)
  expect(unit, work).toMatch(/^(?:µs|ms|MiB|%|commits|calls\/s|rows\/s)$/)
  // Without a floor, 0 is a result: no call was allowed after a stop, and the first refusal came at once.
  if (floor === null) expect(figure, work).toBeGreaterThanOrEqual(0)
  else expect(figure, work).toBeGreaterThan(0)
  expect(ratio, work).toBe(floor === null ? null : figure / floor)
  expect(target ?? '≤ 0 ×', work).toMatch(/^[≤≥] [\d.]+ (?:×|µs|ms|MiB|%|commits)$/)
  expect(met === null, work).toBe(target === null)
}
