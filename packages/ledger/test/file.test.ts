import { closeSync, mkdirSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { LedgerError } from '../src/error.js'
import {
  asLedgerError,
  codeOf,
  FileIdentity,
  firstBytes,
  isFatal,
  isOpenInSqlite,
  isRegularFile,
  PinnedFile,
  syncFolderOf,
} from '../src/file.js'
import { refusalOf } from './fixtures/refusal.js'
import { temporaryFolder } from './fixtures/temporary.js'

const failure = (code: unknown): Error => Object.assign(new Error('it failed'), { code })
const newFile = (content = 'content'): string => {
  const path = join(temporaryFolder(), 'file')
  writeFileSync(path, content)
  return path
}

describe('asLedgerError', () => {
  it.each([
    ['ENOENT', 'LEDGER_NOT_FOUND'],
    ['ENOTDIR', 'LEDGER_NOT_FOUND'],
    ['EISDIR', 'LEDGER_IS_DIRECTORY'],
    ['EACCES', 'LEDGER_NOT_READABLE'],
    ['EROFS', 'LEDGER_WRITE_FAILED'],
    ['ENOSPC', 'LEDGER_WRITE_FAILED'],
    ['EIO', 'LEDGER_DAMAGED'],
    ['SQLITE_NOTADB', 'LEDGER_NOT_A_LEDGER'],
    ['SQLITE_CORRUPT_VTAB', 'LEDGER_DAMAGED'],
    ['SQLITE_BUSY_SNAPSHOT', 'LEDGER_BUSY'],
    ['SQLITE_READONLY_DBMOVED', 'LEDGER_WRITE_FAILED'],
    ['SQLITE_IOERR_FSYNC', 'LEDGER_WRITE_FAILED'],
    ['SQLITE_CANTOPEN_ISDIR', 'LEDGER_NOT_READABLE'],
  ])('knows %s', (code, ours) => expect(asLedgerError(failure(code), 'ledger').code).toBe(ours))

  it('takes what it is told for anything else', () => {
    expect(asLedgerError(failure('EWHATEVER'), 'ledger').code).toBe('LEDGER_WRITE_FAILED')
    expect(asLedgerError('a string', 'ledger', 'LEDGER_NOT_READABLE').code).toBe('LEDGER_NOT_READABLE')
    expect(asLedgerError(failure(7), 'ledger', 'LEDGER_DAMAGED').code).toBe('LEDGER_DAMAGED')
  })

  it('leaves one of ours as it is', () => {
    const ours = new LedgerError('LEDGER_BUSY', 'busy')
    expect(asLedgerError(ours, 'ledger')).toBe(ours)
  })
})

describe('isFatal', () => {
  it('is what leaves the state of the disk unknown', () => {
    expect(
      ['EIO', 'SQLITE_IOERR_FSYNC', 'SQLITE_CORRUPT', 'SQLITE_NOTADB'].map((code) => isFatal(failure(code))),
    ).toEqual([true, true, true, true])
    expect(['ENOSPC', 'SQLITE_FULL', 'SQLITE_BUSY', ''].map((code) => isFatal(failure(code)))).toEqual([
      false,
      false,
      false,
      false,
    ])
  })

  it('is true of every sync that failed, whatever it says', () => {
    const sync = (syscall: string) => Object.assign(failure('ENOSPC'), { syscall })
    expect(['fsync', 'fdatasync', 'write'].map((syscall) => isFatal(sync(syscall)))).toEqual([true, true, false])
  })
})

describe('codeOf', () => {
  it('is the family, for SQLite', () => {
    expect([codeOf(failure('SQLITE_IOERR_WRITE')), codeOf(failure('ENOENT')), codeOf(null)]).toEqual([
      'SQLITE_IOERR',
      'ENOENT',
      '',
    ])
  })
})

describe('isRegularFile', () => {
  it('is false for what is not there, and refuses what is something else', async () => {
    const path = newFile()
    expect([isRegularFile(path), isRegularFile(`${path}.no`)]).toEqual([true, false])
    expect(await refusalOf(() => isRegularFile(join(path, '..')))).toBe('LEDGER_IS_DIRECTORY')
    expect(await refusalOf(() => isRegularFile('/dev/null'))).toBe('LEDGER_NOT_A_LEDGER')
  })
})

describe('isOpenInSqlite', () => {
  it('goes by the -wal', () => {
    const path = newFile()
    expect(isOpenInSqlite(path)).toBe(false)
    writeFileSync(`${path}-wal`, '')
    expect(isOpenInSqlite(path)).toBe(true)
  })
})

describe('firstBytes', () => {
  it.each([
    ['', ''],
    ['short', 'short'],
    ['0123456789abcdefghi', '0123456789abcdef'],
  ])('of %j are %j', (content, bytes) => expect(firstBytes(newFile(content)).toString()).toBe(bytes))
})

describe.each([
  ['FileIdentity', (path: string) => new FileIdentity(path)],
  ['PinnedFile', (path: string) => new PinnedFile(path)],
])('%s', (_name, identify) => {
  it.each<[string, (path: string) => void, string | null]>([
    ['holds while the file stays', () => {}, null],
    ['holds when the file grows', (path) => writeFileSync(path, 'more', { flag: 'a' }), null],
    ['notices that it is gone', (path) => rmSync(path), 'LEDGER_DAMAGED'],
    [
      'notices that it is another',
      (path) => {
        writeFileSync(`${path}.new`, 'content')
        renameSync(`${path}.new`, path)
      },
      'LEDGER_DAMAGED',
    ],
    [
      'notices that it is a folder',
      (path) => {
        rmSync(path)
        mkdirSync(path)
      },
      'LEDGER_DAMAGED',
    ],
  ])('%s', async (_, change, code) => {
    const path = newFile()
    // The file stays open, as it does while a writer uses it. If the file were closed, the next file could get the same
    // inode number.
    const fd = openSync(path, 'r')
    onTestFinished(() => closeSync(fd))
    const identity = identify(path)
    onTestFinished(() => {
      if ('close' in identity) identity.close()
    })
    change(path)
    expect(await refusalOf(() => identity.check())).toBe(code)
  })
})

describe('syncFolderOf', () => {
  it('syncs the folder of a file, and throws when there is none', () => {
    expect(() => syncFolderOf(newFile())).not.toThrow()
    expect(() => syncFolderOf(join(temporaryFolder(), 'no/file'))).toThrow(expect.objectContaining({ code: 'ENOENT' }))
  })
})
