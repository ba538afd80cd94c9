// Tests the lock of a JSONL file if neither better-sqlite3 nor `node:sqlite` can be loaded.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it, vi } from 'vitest'
import { refusalOf } from '../../fixtures/refusal.js'
import { temporaryFolder } from '../../fixtures/temporary.js'

vi.doMock('better-sqlite3', () => ({
  default: class {
    constructor() {
      throw new Error('Could not locate the bindings file. Tried: …')
    }
  },
}))
vi.doMock('../../../src/store/sqlite/node-sqlite.js', () => ({ openWithNode: () => null }))
/** Runs once, after the code under test has looked at the lock and before it takes the lock. */
let meanwhile: ((file: string) => void) | null = null
vi.doMock('node:fs', async (importOriginal) => {
  const fs = await importOriginal<typeof import('node:fs')>()
  const statSync = (file: string, options: object): unknown => {
    const found = fs.statSync(file, options)
    const act = meanwhile
    meanwhile = null
    act?.(file)
    return found
  }
  return { ...fs, statSync }
})
// Other test files in this process have loaded the module.
vi.resetModules()
const { lockFile } = await import('../../../src/store/jsonl/lock.js')
afterAll(() => {
  vi.doUnmock('better-sqlite3')
  vi.doUnmock('node:fs')
  vi.doUnmock('../../../src/store/sqlite/node-sqlite.js')
  vi.resetModules()
})

function newFile(): string {
  const path = join(temporaryFolder(), 'ledger.jsonl')
  writeFileSync(path, '')
  return path
}

const built = fileURLToPath(new URL('../../../dist/store/jsonl/lock.js', import.meta.url))

/** Simulates an older Node.js version, without `node:sqlite`, on which the native module was not built. */
const WITHOUT_SQLITE = `process.dlopen = () => { throw Object.assign(new Error('not built'), { code: 'ERR_DLOPEN_FAILED' }) }
process.getBuiltinModule = () => undefined`

/**
 * Locks a file in a separate process, in which SQLite can be loaded. @returns the error code, or an empty string if the
 * process acquired the lock
 */
function lockWithSqlite(path: string): string {
  const script = `import { lockFile } from ${JSON.stringify(built)}
try { lockFile(process.argv[1])() } catch (error) { process.stdout.write(error.code) }`
  return spawnSync(process.execPath, ['--input-type=module', '-e', script, path], { encoding: 'utf8' }).stdout
}

describe('lockFile without SQLite', () => {
  it('is held by one at a time, under every name of the file, and leaves nothing behind', async () => {
    const path = newFile()
    symlinkSync(path, `${path}.link`)
    const unlock = lockFile(path)
    expect(await refusalOf(() => lockFile(path))).toBe('LEDGER_LOCKED')
    expect(await refusalOf(() => lockFile(`${path}.link`))).toBe('LEDGER_LOCKED')
    unlock()
    lockFile(`${path}.link`)()
    expect(readdirSync(dirname(path)).sort()).toEqual(['ledger.jsonl', 'ledger.jsonl.link'])
  })

  it.each([
    ['without SQLite', (file: string) => mkdirSync(file)],
    ['with SQLite', (file: string) => writeFileSync(file, '')],
  ])('is not taken if another writer %s takes it at the same moment', async (_, take) => {
    const path = newFile()
    meanwhile = take
    expect(await refusalOf(() => lockFile(path))).toBe('LEDGER_LOCKED')
    expect(meanwhile).toBeNull()
    expect(existsSync(`${path}.lock`)).toBe(true)
  })

  it('excludes a writer with SQLite', () => {
    const path = newFile()
    const unlock = lockFile(path)
    expect(lockWithSqlite(path)).toBe('LEDGER_LOCKED')
    unlock()
    expect(lockWithSqlite(path)).toBe('')
  })

  it('refuses the lock file of a writer with SQLite, which it cannot test, and says what helps', () => {
    const path = newFile()
    expect(lockWithSqlite(path)).toBe('')
    let refused: unknown
    try {
      lockFile(path)
    } catch (error) {
      refused = error
    }
    expect(refused).toMatchObject({ code: 'LEDGER_LOCKED', hint: expect.stringMatching(/22\.13.*npm rebuild/) })
    expect(existsSync(`${path}.lock`)).toBe(true)
  })

  it.each([
    ['ends without closing its ledger: the lock is released', '', false],
    [
      'is killed: the lock stays, and the next writer is told how to remove it',
      'process.kill(process.pid, "SIGKILL")',
      true,
    ],
  ])('a program that %s', async (_, end, stays) => {
    const path = newFile()
    const script = `import { lockFile } from ${JSON.stringify(built)}
lockFile(process.argv[1])
${end}`
    const preload = `data:text/javascript,${encodeURIComponent(WITHOUT_SQLITE)}`
    spawnSync(process.execPath, ['--import', preload, '--input-type=module', '-e', script, path])
    expect(existsSync(`${path}.lock`)).toBe(stays)
    if (!stays) return
    expect(await refusalOf(() => lockFile(path))).toBe('LEDGER_LOCKED')
    expect(lockWithSqlite(path)).toBe('LEDGER_LOCKED')
  })
})
