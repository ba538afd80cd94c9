// Tests ledgers that are expensive to read: 100,000 levels of nesting, an endless line, and millions of keys. Every
// command reads them in a process with little memory and reports the problem. The slow form uses the full sizes: a
// line of 1 GiB, and 10⁷ keys.
import { spawnSync } from 'node:child_process'
import { appendFileSync, closeSync, ftruncateSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { TIER } from '../../../test/tier.js'
import { decisionDraft, outcomeDraft } from './support/draft.js'
import { writeLedger } from './support/ledger.js'
import { BIN, Sandbox } from './support/sandbox.js'

const slow = TIER === 'slow'
const MIB = 1024 * 1024
const LINE_BYTES = slow ? 1024 * MIB : 320 * MIB
const KEYS = slow ? 10_000_000 : 100_000
const DEPTH = 100_000
/** Limit of the V8 heap, in MiB, which is smaller than the line. */
const HEAP_MIB = slow ? 200 : 100
/** Memory limit for the whole process, in MiB: the V8 heap, buffers outside it, and Node itself. */
const RESIDENT_MIB = 300

const box = new Sandbox()
afterAll(() => box.remove())

/**
 * The valid entries before and after the hostile line. Because the first entries are valid, every reader reaches the
 * hostile line.
 */
let [before, behind] = ['', '']
beforeAll(async () => {
  await writeLedger(box.path('honest.jsonl'), [
    decisionDraft({ n: 1 }),
    outcomeDraft({ n: 1 }),
    decisionDraft({ n: 2 }),
  ])
  const lines = readFileSync(box.path('honest.jsonl'), 'utf8').split('\n')
  before = `${lines.slice(0, 3).join('\n')}\n`
  behind = `${lines[3]}\n`
})

const keysOf = (count: number, from = 0): string =>
  Array.from({ length: count }, (_, n) => `"k${String(from + n).padStart(8, '0')}":${n}`).join(',')

const LEDGERS: readonly (readonly [what: string, code: string, write: (path: string) => void])[] = [
  [
    'nesting of 10⁵',
    'LINE_NOT_JSON',
    (path) => appendFileSync(path, `{"action":${'['.repeat(DEPTH)}${']'.repeat(DEPTH)}}\n`),
  ],
  [
    'objects in one another, 10⁵ deep, never closed',
    'LINE_NOT_JSON',
    (path) => appendFileSync(path, `${'{"a":'.repeat(DEPTH)}\n`),
  ],
  ['a line without end', 'LINE_TOO_LONG', appendHole],
  ['keys in one object, 10⁵ in the short form', slow ? 'LINE_TOO_LONG' : 'ENTRY_INVALID', (path) => appendKeys(path)],
  [
    '10⁵ names of the prototype',
    'LINE_NOT_JSON',
    (path) => appendFileSync(path, `{${'"__proto__":{"polluted":1},'.repeat(DEPTH)}"constructor":1}\n`),
  ],
]

/** Extends the file with a hole, which reads as NUL bytes and uses no disk space. */
function appendHole(path: string): void {
  const fd = openSync(path, 'r+')
  const start = readFileSync(path).length
  writeSync(fd, '{"action":"', start)
  ftruncateSync(fd, start + LINE_BYTES)
  writeSync(fd, '"}\n', start + LINE_BYTES)
  closeSync(fd)
}

function appendKeys(path: string): void {
  appendFileSync(path, '{')
  for (let from = 0; from < KEYS; from += 50_000)
    appendFileSync(path, `${from === 0 ? '' : ','}${keysOf(50_000, from)}`)
  appendFileSync(path, '}\n')
}

/** Runs a command in a process with little memory. @returns its output, and its peak memory in MiB */
function run(args: readonly string[]) {
  const measure = `process.on('exit',()=>require('node:fs').writeSync(2,'\\npeak '+Math.round(process.resourceUsage().maxRSS/1024)+'\\n'))`
  const preload = [
    '--import',
    `data:text/javascript,import{createRequire}from'node:module';const require=createRequire('file:///');${encodeURIComponent(measure)}`,
  ]
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [`--max-old-space-size=${HEAP_MIB}`, ...preload, BIN, ...args],
    {
      encoding: 'utf8',
      maxBuffer: 256 * MIB,
      timeout: 600_000,
    },
  )
  const [, peak = ''] = /^peak (\d+)$/m.exec(stderr) ?? []
  return { code: status, stdout, stderr: stderr.replace(/\npeak \d+\n/, ''), peak: Number(peak) }
}

describe.each(LEDGERS)('%s', (_, finding, write) => {
  it('is a finding, in bounded memory, and what stands around it can be read', { timeout: 900_000 }, () => {
    const path = box.path('hostile.jsonl')
    writeFileSync(path, before)
    write(path)
    appendFileSync(path, behind)
    const verified = run(['verify', path, '--json'])
    const report = JSON.parse(verified.stdout)
    expect(verified.code, verified.stderr).toBe(1)
    expect(report.findings[0]).toMatchObject({ code: finding, position: 4 })
    expect(report.entries).toBe(5)
    console.info(`peak memory of verify: ${verified.peak} MiB`)
    expect(verified.peak).toBeGreaterThan(0)
    expect(verified.peak).toBeLessThan(RESIDENT_MIB)
    for (const [args, codes] of [
      // The unreadable entry might match, so the command must exit with an error.
      [['filter', path], [3]],
      [
        ['search', path, '--query', 'refund'],
        [0, 3],
      ],
      [['show', path, '2'], [0]],
      [['inspect', path], [0]],
      [
        ['export', path, '--format', 'csv'],
        [3, 1],
      ],
      [
        ['receipt', path, '--request-id', 'nothing'],
        [1, 3],
      ],
    ] as const) {
      // The long form runs all commands, and the short form runs the most common ones.
      if (!slow && !['filter', 'export'].includes(args[0])) continue
      const { code, stderr, peak } = run(args)
      expect(codes as readonly (number | null)[], `${args[0]}: ${stderr}`).toContain(code)
      expect(stderr).not.toMatch(/internal:|\n {4}at /)
      expect(peak).toBeLessThan(RESIDENT_MIB)
    }
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined()
  })
})
