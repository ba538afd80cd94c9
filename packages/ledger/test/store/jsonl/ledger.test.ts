// Tests the JSONL store beyond the contract. Over 300 lines because the tests of its faults (torn lines, full disks,
// failing syncs) share their setup.
import {
  appendFileSync,
  copyFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { encodeCanonical } from '@sudoagent/crypto/json'
import { describe, expect, it } from 'vitest'
import { isLong } from '../../../../../test/tier.js'
import { LINE_BYTES_MAX } from '../../../src/limits.js'
import { JsonlLedger } from '../../../src/store/jsonl/ledger.js'
import { openLedgerReader } from '../../../src/store/open.js'
import { decisionDraft, tickingClock } from '../../fixtures/draft.js'
import { codesOf, jsonlOf, verifyFile } from '../../fixtures/ledger-file.js'
import { canRun, kill9, notice, run, runScript, startScript, tinyFileSystem } from '../../fixtures/process/child.js'
import { refusalOf } from '../../fixtures/refusal.js'
import { entriesOf, writtenLines } from '../../fixtures/seal.js'
import { temporaryFolder } from '../../fixtures/temporary.js'
import { testDurableStore, testStoreContract } from '../contract.js'

const PYTHON_LEDGER = join(import.meta.dirname, '../../../../../../shared/vectors/python-v2/plain.jsonl')
const hasPython = existsSync(PYTHON_LEDGER)
const hasStrace = canRun('strace', '-o', '/dev/null', 'true')
if (!hasPython) notice('JSONL ledgers from the Python implementation (../shared/vectors is missing)')
if (!hasStrace) notice('a failing fdatasync (strace is missing or not permitted)')

const newPath = (): string => join(temporaryFolder(), 'ledger.jsonl')
const makePlace = () => {
  const path = newPath()
  return { open: (options = {}) => JsonlLedger.open(path, options), read: () => openLedgerReader(path) }
}

async function writeThree(path: string): Promise<Buffer> {
  const ledger = JsonlLedger.open(path, { clock: tickingClock() })
  for (const n of [1, 2, 3]) await ledger.append(decisionDraft(n))
  await ledger.close()
  return readFileSync(path)
}

describe('JsonlLedger', () => {
  testStoreContract(makePlace)
  testDurableStore(makePlace)

  it('makes the file for its owner only', async () => {
    const path = newPath()
    await JsonlLedger.open(path).close()
    expect(statSync(path).mode & 0o777).toBe(0o600)
  })

  it('writes one canonical entry a line, and nothing else', async () => {
    const path = newPath()
    const [genesis = '', ...lines] = (await writeThree(path)).toString().split('\n')
    expect(JSON.parse(genesis)).toMatchObject({ event: 'checkpoint', checkpoint: { kind: 'genesis' } })
    expect(lines).toHaveLength(4)
    expect(lines.at(-1)).toBe('')
    const calls = entriesOf(lines.slice(0, -1)).map((entry) => ({
      ...entry,
      prev_entry_hash: null,
      recorded_at: null,
      entry_hash: null,
    }))
    const written = entriesOf(await writtenLines([1, 2, 3].map((n) => decisionDraft(n))))
    expect(calls).toEqual(
      written.map((entry) => ({ ...entry, prev_entry_hash: null, recorded_at: null, entry_hash: null })),
    )
    for (const line of lines.slice(0, -1)) expect(encodeCanonical(JSON.parse(line))).toBe(line)
  })

  it.skipIf(!hasPython)('continues a ledger of the Python implementation', async () => {
    const path = newPath()
    copyFileSync(PYTHON_LEDGER, path)
    const before = await verifyFile(path)
    const ledger = JsonlLedger.open(path)
    expect((await ledger.append(decisionDraft(1))).position).toBe(before.entries + 1)
    await ledger.close()
    expect(await verifyFile(path)).toMatchObject({ ok: true, entries: before.entries + 1 })
    expect(readFileSync(path).subarray(0, readFileSync(PYTHON_LEDGER).length).equals(readFileSync(PYTHON_LEDGER))).toBe(
      true,
    )
  })
})

describe('a second writer', () => {
  it('is refused, in this process and through another name of the file', async () => {
    const path = newPath()
    const ledger = JsonlLedger.open(path)
    symlinkSync(path, `${path}.link`)
    expect(await refusalOf(() => JsonlLedger.open(path))).toBe('LEDGER_LOCKED')
    expect(await refusalOf(() => JsonlLedger.open(`${path}.link`))).toBe('LEDGER_LOCKED')
    await ledger.append(decisionDraft(1))
    await ledger.close()
    await JsonlLedger.open(`${path}.link`).close()
  })

  it('is refused in another process, and let in when that was killed', async () => {
    const path = newPath()
    const holder = await startScript('hold.mjs', ['jsonl', path, '3'])
    expect(await refusalOf(() => JsonlLedger.open(path))).toBe('LEDGER_LOCKED')
    expect(await verifyFile(path)).toMatchObject({ ok: true, entries: 4 })
    await kill9(holder)
    const ledger = JsonlLedger.open(path)
    expect((await ledger.append(decisionDraft(1))).position).toBe(5)
    await ledger.close()
    expect(await verifyFile(path)).toMatchObject({ ok: true, entries: 5 })
  })

  it('does not get in through a lock file that is something else', async () => {
    const path = newPath()
    writeFileSync(`${path}.lock`, 'somebody else keeps notes here')
    expect(await refusalOf(() => JsonlLedger.open(path))).toBe('LEDGER_NOT_A_LEDGER')
    expect(readFileSync(`${path}.lock`, 'utf8')).toBe('somebody else keeps notes here')
  })
})

describe('a torn last line', () => {
  it('is moved aside whole, at every length, and the chain goes on behind the last whole line', async () => {
    const whole = await writeThree(newPath())
    const end = whole.lastIndexOf(10, -2) + 1
    for (let length = end + 1; length < whole.length; length += isLong ? 37 : 149) {
      const path = newPath()
      writeFileSync(path, whole.subarray(0, length))
      expect(codesOf(await verifyFile(path))).toEqual(['LINE_TORN@4'])
      const ledger = JsonlLedger.open(path)
      expect(ledger.tornTail).toEqual({ movedTo: `${path}.torn-${end}`, bytes: length - end })
      expect(readFileSync(`${path}.torn-${end}`).equals(whole.subarray(end, length))).toBe(true)
      expect(statSync(`${path}.torn-${end}`).mode & 0o777).toBe(0o600)
      expect((await ledger.append(decisionDraft(4))).position).toBe(4)
      await ledger.close()
      expect(await verifyFile(path)).toMatchObject({ ok: true, entries: 4 })
    }
  })

  it('may be the first line', async () => {
    const path = newPath()
    writeFileSync(path, (await writeThree(newPath())).subarray(0, 40))
    const ledger = JsonlLedger.open(path)
    expect(ledger.tornTail).toEqual({ movedTo: `${path}.torn-0`, bytes: 40 })
    expect((await ledger.append(decisionDraft(1))).position).toBe(2)
    await ledger.close()
  })

  it('does not take the place of an earlier one', async () => {
    const path = newPath()
    const whole = await writeThree(path)
    for (const text of ['{"first', '{"second']) {
      appendFileSync(path, text)
      await JsonlLedger.open(path).close()
    }
    const torn = (suffix: string): string => readFileSync(`${path}.torn-${whole.length}${suffix}`, 'utf8')
    expect([torn(''), torn('-2')]).toEqual(['{"first', '{"second'])
  })

  it('is not there when the file ended as it should', async () => {
    const path = newPath()
    await writeThree(path)
    const ledger = JsonlLedger.open(path)
    expect(ledger.tornTail).toBeNull()
    await ledger.close()
    expect(readdirSync(join(path, '..')).sort()).toEqual([
      'ledger.jsonl',
      'ledger.jsonl.head',
      'ledger.jsonl.lock',
      'ledger.jsonl.tree',
    ])
  })
})

describe('a file that is no JSONL ledger', () => {
  it.each<[string, string]>([
    ['a JSON document on one line', '{"name":"mine","private":true}'],
    ['a JSON document that starts like an entry', '{"act'.padEnd(LINE_BYTES_MAX + 1, 'x')],
    ['a JSON document on many lines', '{\n  "name": "mine"\n}'],
    ['lines of other JSON', '{"a":1}\n{"b":2}\n'],
    ['lines of other JSON, the last without an end', '{"a":1}\n{"b":2}'],
    ['text', 'hello\n'],
    ['an empty line', '\n'],
    ['a byte order mark', '\ufeff{"action":1}\n'],
    ['a SQLite database', 'SQLite format 3\0'],
  ])('is refused and left as it is: %s', async (_, content) => {
    const path = newPath()
    writeFileSync(path, content)
    expect(await refusalOf(() => JsonlLedger.open(path))).toBe('LEDGER_NOT_A_LEDGER')
    expect(readFileSync(path, 'utf8')).toBe(content)
    expect(readdirSync(join(path, '..')).filter((name) => name.includes('torn'))).toEqual([])
  })

  it('is refused when the last entry does not hold', async () => {
    const [first = '', second = ''] = await writtenLines([decisionDraft(1), decisionDraft(2)])
    const path = jsonlOf([first, second.replace('"amount":2', '"amount":3')])
    expect(await refusalOf(() => JsonlLedger.open(path))).toBe('LEDGER_DAMAGED')
  })

  it.each<[string, (folder: string) => string, string]>([
    ['a directory', (folder) => folder, 'LEDGER_IS_DIRECTORY'],
    ['a folder that is not there', (folder) => join(folder, 'no/ledger.jsonl'), 'LEDGER_NOT_FOUND'],
    ['a path through a file', (folder) => join(jsonlOf([], join(folder, 'file')), 'ledger.jsonl'), 'LEDGER_NOT_FOUND'],
    ['a link to nothing', (folder) => linkTo(join(folder, 'nothing')), 'LEDGER_NOT_FOUND'],
    ['a device', () => '/dev/null', 'LEDGER_NOT_A_LEDGER'],
  ])('is refused: %s', async (_, makePath, code) => {
    const path = makePath(temporaryFolder())
    expect(await refusalOf(() => JsonlLedger.open(path))).toBe(code)
  })

  it('is refused without waiting: a pipe', async () => {
    const path = newPath()
    await run('mkfifo', [path])
    expect(await refusalOf(() => JsonlLedger.open(path))).toBe('LEDGER_NOT_A_LEDGER')
  })
})

function linkTo(target: string): string {
  symlinkSync(target, `${target}.link`)
  return `${target}.link`
}

describe('a change under the writer', () => {
  it.each<[string, (path: string) => void]>([
    ['something was appended', (path) => appendFileSync(path, '{}\n')],
    ['something was cut off', (path) => truncateSync(path, 10)],
    ['it was deleted', (path) => rmSync(path)],
    [
      'it was replaced',
      (path) => {
        copyFileSync(path, `${path}.copy`)
        renameSync(`${path}.copy`, path)
      },
    ],
  ])('stops it for good: %s', async (_, change) => {
    const path = newPath()
    const ledger = JsonlLedger.open(path)
    await ledger.append(decisionDraft(1))
    change(path)
    const left = existsSync(path) ? readFileSync(path) : null
    expect(await refusalOf(() => ledger.append(decisionDraft(2)))).toBe('LEDGER_DAMAGED')
    expect(await refusalOf(() => ledger.append(decisionDraft(3)))).toBe('LEDGER_DAMAGED')
    await ledger.close()
    expect(existsSync(path) ? readFileSync(path) : null).toEqual(left)
  })
})

describe('a disk', () => {
  it('that is full: nothing is half written, and appends work again when there is room', async (context) => {
    const folder = tinyFileSystem(temporaryFolder(), 128)
    if (folder === null) {
      notice('a full disk (mounting is not permitted)')
      return context.skip()
    }
    const path = join(folder, 'ledger.jsonl')
    const ledger = JsonlLedger.open(path)
    await ledger.append(decisionDraft(1))
    writeFileSync(join(folder, 'ballast'), Buffer.alloc(96 * 1024))
    const size = statSync(path).size
    const tooMuch = Array.from({ length: 10 }, (_, n) =>
      ledger.append(decisionDraft(n + 2, { kwargs: { blob: 'x'.repeat(5_000) } })),
    )
    const answers = await Promise.allSettled(tooMuch)
    expect(answers.map((one) => (one.status === 'rejected' ? one.reason.code : one.value))).toEqual(
      Array(10).fill('LEDGER_WRITE_FAILED'),
    )
    expect(statSync(path).size).toBe(size)
    expect(await verifyFile(path)).toMatchObject({ ok: true, entries: 2, tail: 0 })
    rmSync(join(folder, 'ballast'))
    expect((await ledger.append(decisionDraft(20, { kwargs: { blob: 'x'.repeat(5_000) } }))).position).toBe(3)
    await ledger.close()
    expect(await verifyFile(path)).toMatchObject({ ok: true, entries: 3, tail: 0 })
  })

  // The first append syncs three times: after the first head, after the lines, and after the new head. Each later
  // append syncs twice.
  it.skipIf(!hasStrace).each([
    ['the lines', 6],
    ['the head', 7],
  ])('that fails to sync %s: not acknowledged, and the writer never goes on', async (_, when) => {
    const path = newPath()
    const inject = strace('fdatasync', `error=EIO:when=${when}`)
    const answers = await runScript('append.mjs', ['jsonl', path, 'a', '5'], { wrapper: inject })
    expect(answers).toEqual([2, 3, 'LEDGER_DAMAGED', 'LEDGER_DAMAGED', 'LEDGER_DAMAGED'])
    // The third entry may or may not be on disk. In both cases, the file is valid and a new writer can append to it.
    expect(await verifyFile(path)).toMatchObject({ ok: true, entries: 4, tail: 1 })
    expect(await runScript('append.mjs', ['jsonl', path, 'b', '1'])).toEqual([5])
    expect(await verifyFile(path)).toMatchObject({ ok: true, entries: 5, tail: 0 })
  })

  // Node makes a positioned writeSync with the system call pwrite64. Each append writes the lines, then the tree.
  it.skipIf(!hasStrace).each([
    ['lines', 3],
    ['tree', 4],
  ])('whose quota is used up for the %s: that append is taken back, the next one works', async (_, when) => {
    const path = newPath()
    const inject = strace('pwrite64', `error=EDQUOT:when=${when}`)
    expect(await runScript('append.mjs', ['jsonl', path, 'a', '3'], { wrapper: inject })).toEqual([
      2,
      'LEDGER_WRITE_FAILED',
      3,
    ])
    expect(await verifyFile(path)).toMatchObject({ ok: true, entries: 3, tail: 0 })
  })

  it.skipIf(!hasStrace)('that takes no new head: that append is taken back, the next one works', async () => {
    const path = newPath()
    const inject = strace('rename', 'error=ENOSPC:when=3')
    expect(await runScript('append.mjs', ['jsonl', path, 'a', '3'], { wrapper: inject })).toEqual([
      2,
      'LEDGER_WRITE_FAILED',
      3,
    ])
    expect(await verifyFile(path)).toMatchObject({ ok: true, entries: 3, tail: 0 })
  })
})

const strace = (call: string, fault: string): string[] => [
  'strace',
  '-f',
  '-o',
  '/dev/null',
  '-e',
  `trace=${call}`,
  '-e',
  `inject=${call}:${fault}`,
]
