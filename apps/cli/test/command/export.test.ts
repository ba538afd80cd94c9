// Runs `export` as a script would. Also reads ../shared/vectors if that folder exists.
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { decisionDraft } from '../support/draft.js'
import { SAMPLE, writeLedger } from '../support/ledger.js'
import { Sandbox, skipUnless } from '../support/sandbox.js'

const box = new Sandbox()

beforeAll(async () => {
  await writeLedger(box.path('l.sqlite'), SAMPLE)
  await writeLedger(box.path('l.jsonl'), SAMPLE)
  await writeLedger(box.path('formula.jsonl'), [decisionDraft({ n: 1, reason: '=cmd|calc', action: '@sum(1)' })])
})
afterAll(() => box.remove())

const read = (name: string): string => readFileSync(box.path(name), 'utf8')

describe('formats', () => {
  it('json is one array of all entries, and the default', () => {
    const { code, stdout, stderr } = box.run(['export', 'l.sqlite'])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect((JSON.parse(stdout) as { event: string }[]).map(({ event }) => event)).toEqual([
      'checkpoint',
      ...SAMPLE.map(({ event }) => event),
    ])
  })

  it('ndjson is the ledger byte for byte', () => {
    expect(box.run(['export', 'l.jsonl', '--format', 'ndjson']).stdout).toBe(read('l.jsonl'))
  })

  it('ndjson of a SQLite ledger is a JSONL ledger that verifies', () => {
    expect(box.run(['export', 'l.sqlite', '--output', 'copy.jsonl'])).toEqual({ code: 0, stdout: '', stderr: '' })
    expect(box.run(['verify', 'copy.jsonl']).code).toBe(0)
  })

  it('csv holds no formula', () => {
    const { stdout } = box.run(['export', 'formula.jsonl', '--format', 'csv'])
    const [header, , row] = stdout.split('\r\n')
    expect(header).toMatch(/^position,event,request_id,/)
    expect(row).toContain(`"'=cmd|calc"`)
    expect(row).toContain(`"'@sum(1)"`)
  })

  it.each([
    ['a.csv', /^position,/],
    ['a.ndjson', /^\{/],
    ['a.JSON', /^\[/],
    ['a', /^\[/],
  ])('an output named %s has the form that its name says', (name, form) => {
    expect(box.run(['export', 'l.sqlite', '--output', name]).code).toBe(0)
    expect(read(name)).toMatch(form)
  })

  it.each(['a.txt', 'report.html', 'a.csv.gz', 'a.'])(
    'an output named %s is refused: its ending names no format',
    (name) => {
      for (const args of [
        ['export', 'l.sqlite'],
        ['filter', 'l.sqlite', '--effect', 'deny'],
        ['search', 'l.sqlite', '--query', 'a'],
      ]) {
        const { code, stderr } = box.run([...args, '--output', name])
        expect([code, stderr]).toEqual([2, expect.stringContaining('does not name a format')])
        expect(box.files()).not.toContain(name)
        expect(box.run([...args, '--output', `${name}x`, '--format', 'csv']).code).toBe(0)
      }
    },
  )

  it('--format says more than the name', () => {
    expect(box.run(['export', 'l.sqlite', '--output', 'b.csv', '--format', 'json']).code).toBe(0)
    expect(read('b.csv')).toMatch(/^\[/)
  })
})

describe('the output file', () => {
  it('is for its owner, as a ledger is; one that was there keeps its mode', () => {
    expect(box.run(['export', 'l.sqlite', '--output', 'new.json']).code).toBe(0)
    expect(statSync(box.path('new.json')).mode & 0o777).toBe(0o600)
    writeFileSync(box.path('there.json'), 'old', { mode: 0o640 })
    expect(box.run(['export', 'l.sqlite', '--output', 'there.json']).code).toBe(0)
    expect(statSync(box.path('there.json')).mode & 0o777).toBe(0o640)
    expect(read('there.json')).toBe(read('new.json'))
  })

  it('`-` is standard output', () => {
    expect(box.run(['export', 'l.sqlite', '--output', '-']).stdout).toBe(box.run(['export', 'l.sqlite']).stdout)
    expect(existsSync(box.path('-'))).toBe(false)
  })
})

describe('a ledger that cannot be exported whole', () => {
  it.each([
    ['an entry that cannot be read', (lines: string[]) => lines.with(4, '{"event":"decision"}').join('\n')],
    ['a torn last line', (lines: string[]) => lines.slice(0, 5).join('\n').slice(0, -20)],
  ])('%s: exit 1, and no file', (_, damage) => {
    writeFileSync(box.path('damaged.jsonl'), damage(read('l.jsonl').split('\n')))
    const files = box.files()
    const { code, stdout, stderr } = box.run(['export', 'damaged.jsonl', '--output', 'damaged.csv'])
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toMatch(/^sudoagent: error: entry 5 .*\nsudoagent: hint: .*verify.*\n$/)
    expect(box.files()).toEqual(files)
  })

  it('empty: exit 1, the empty form on stdout, but no file', () => {
    writeFileSync(box.path('empty.jsonl'), '')
    expect(box.run(['export', 'empty.jsonl'])).toMatchObject({ code: 1, stdout: '[]\n' })
    const { code, stderr } = box.run(['export', 'empty.jsonl', '--output', 'empty.json'])
    expect(code).toBe(1)
    expect(stderr).toMatch(/^sudoagent: note: .*`empty.json` was not written\n$/)
    expect(existsSync(box.path('empty.json'))).toBe(false)
  })
})

const EXOTIC = fileURLToPath(
  new URL('../../../../../shared/vectors/python-v2/exotic-numbers-and-keys.jsonl', import.meta.url),
)
const noVectors = skipUnless(existsSync(EXOTIC), `no ledgers from the Python implementation at ${EXOTIC}`)

it.skipIf(noVectors)('numbers that no double holds come out as they went in', () => {
  expect(box.run(['export', EXOTIC, '--format', 'ndjson']).stdout).toBe(readFileSync(EXOTIC, 'utf8'))
})
