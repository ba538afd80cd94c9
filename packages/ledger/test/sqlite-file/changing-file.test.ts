// Tests a file that changes during every walk. A walk then reads pages from different times, and the check must report
// neither damage nor a sound file.
import { appendFileSync, closeSync, openSync, readFileSync, utimesSync, writeFileSync, writeSync } from 'node:fs'
import { describe, expect, it, onTestFinished } from 'vitest'
import { sampled } from '../../../../test/tier.js'
import { asLedgerError } from '../../src/file.js'
import { ChangingFile, requireSoundFile, walkUnchanged } from '../../src/sqlite-file/file-check.js'
import { decisionDraft } from '../fixtures/draft.js'
import { sqliteOf } from '../fixtures/ledger-file.js'
import { writtenLines } from '../fixtures/seal.js'

const lines = await writtenLines(Array.from({ length: 5 }, (_, n) => decisionDraft(n)))

/** Creates a ledger whose table has a page that refers to itself. */
function looped(): string {
  const path = sqliteOf(lines)
  const file = readFileSync(path)
  const size = file.readUInt16BE(16)
  file.fill(0, size, 2 * size)
  file[size] = 5
  file.writeUInt32BE(2, size + 8)
  writeFileSync(path, file)
  return path
}

/** Walks a file that `change` modifies each time the walk reads the file's state. */
function walkWhile(path: string, change: (path: string, n: number) => void): string | null {
  const fd = openSync(path, 'r')
  onTestFinished(() => closeSync(fd))
  let looks = 0
  return walkUnchanged({ fd, path }, undefined, () => {
    looks += 1
    change(path, looks)
    return String(looks)
  })
}

const CHANGES: readonly [string, (path: string, n: number) => void][] = [
  ['its time', (path, n) => utimesSync(path, 1, n)],
  [
    'its change counter',
    (path, n) => {
      const fd = openSync(path, 'r+')
      writeSync(fd, Buffer.from([n]), 0, 1, 27)
      closeSync(fd)
    },
  ],
  ['its length', (path) => appendFileSync(path, Buffer.alloc(4096))],
]

describe.each(sampled(CHANGES, 3))('a file that keeps changing %s', (_, change) => {
  it('and looks damaged is called neither damaged nor sound', () => {
    expect(() => walkWhile(looped(), change)).toThrow(ChangingFile)
  })

  it('and is sound is taken', () => {
    expect(walkWhile(sqliteOf(lines), change)).toBe(null)
  })
})

it('is damage once it stands still', () => {
  const path = looped()
  expect(() => requireSoundFile(path)).toThrow('page 2 is used twice')
  let looks = 0
  const fd = openSync(path, 'r')
  onTestFinished(() => closeSync(fd))
  // The state changes a few times, and then stays the same.
  const state = (): string => {
    looks += 1
    return String(Math.min(looks, 7))
  }
  expect(walkUnchanged({ fd, path }, undefined, state)).toBe('page 2 is used twice')
})

it('is busy for those who asked for the ledger', () => {
  expect(asLedgerError(new ChangingFile(), 'x.sqlite')).toMatchObject({
    code: 'LEDGER_BUSY',
    message: '`x.sqlite` kept changing, and its pages never formed a valid database',
    hint: 'stop the programs that write to it, and try again',
  })
})
