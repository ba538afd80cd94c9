import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { lockFile } from '../../../src/store/jsonl/lock.js'
import { refusalOf } from '../../fixtures/refusal.js'
import { temporaryFolder } from '../../fixtures/temporary.js'

function newFile(): string {
  const path = join(temporaryFolder(), 'ledger.jsonl')
  writeFileSync(path, '')
  return path
}

describe('lockFile', () => {
  it('is held by one at a time, under every name of the file', async () => {
    const path = newFile()
    symlinkSync(path, `${path}.link`)
    const unlock = lockFile(path)
    expect(await refusalOf(() => lockFile(path))).toBe('LEDGER_LOCKED')
    expect(await refusalOf(() => lockFile(`${path}.link`))).toBe('LEDGER_LOCKED')
    unlock()
    lockFile(`${path}.link`)()
  })

  it('leaves an empty file behind and nothing else', () => {
    const path = newFile()
    lockFile(path)()
    expect(readdirSync(dirname(path))).toEqual(['ledger.jsonl', 'ledger.jsonl.lock'])
  })

  it.each<[string, (lock: string) => void]>([
    ['a database', (lock) => writeFileSync(lock, 'SQLite format 3\0')],
    ['any text', (lock) => writeFileSync(lock, 'x')],
    ['a link to a file with content', (lock) => [writeFileSync(`${lock}.x`, 'x'), symlinkSync(`${lock}.x`, lock)]],
  ])('refuses %s under the name of the lock, and leaves it as it is', async (_, plant) => {
    const path = newFile()
    plant(`${path}.lock`)
    const before = readdirSync(dirname(path))
    expect(await refusalOf(() => lockFile(path))).toBe('LEDGER_NOT_A_LEDGER')
    expect(readdirSync(dirname(path))).toEqual(before)
  })

  it('is refused next to the folder of a writer without SQLite, which stays', async () => {
    const path = newFile()
    mkdirSync(`${path}.lock`)
    expect(await refusalOf(() => lockFile(path))).toBe('LEDGER_LOCKED')
    expect(readdirSync(dirname(path))).toEqual(['ledger.jsonl', 'ledger.jsonl.lock'])
  })

  it('does not wait', async () => {
    const path = newFile()
    const unlock = lockFile(path)
    const start = performance.now()
    expect(await refusalOf(() => lockFile(path))).toBe('LEDGER_LOCKED')
    expect(performance.now() - start).toBeLessThan(1_000)
    unlock()
  })

  it('says what is wrong when there is no such folder', async () => {
    expect(await refusalOf(() => lockFile(join(temporaryFolder(), 'no/ledger')))).toBe('LEDGER_NOT_FOUND')
  })
})
