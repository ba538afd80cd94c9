import { execFileSync } from 'node:child_process'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import Database from 'better-sqlite3'
import { describe, expect, it } from 'vitest'
import { asLedgerError } from '../src/file.js'
import { NATIVE_MODULE_HINT, nativeModuleProblem } from '../src/native-module.js'
import { temporaryFolder } from './fixtures/temporary.js'

const withCode = (message: string, code: string): Error => Object.assign(new Error(message), { code })

const NOT_BUILT = 'the native module of better-sqlite3 cannot be loaded: it was installed without being built'
const OTHER_NODE = `the native module of better-sqlite3 cannot be loaded: it was built for a version of Node other than ${process.version}`
const OTHER_SYSTEM = 'the native module of better-sqlite3 cannot be loaded: it was built for a different system'

describe('nativeModuleProblem', () => {
  it.each<[string, Error, string | null]>([
    [
      'not built',
      new Error('Could not locate the bindings file. Tried:\n → /a/better_sqlite3.node\n → /b/better_sqlite3.node'),
      NOT_BUILT,
    ],
    [
      'the binary was removed',
      withCode("Cannot find module '/a/build/Release/better_sqlite3.node'", 'MODULE_NOT_FOUND'),
      NOT_BUILT,
    ],
    [
      'another Node',
      withCode(
        'The module was compiled against a different Node.js version using\nNODE_MODULE_VERSION 127.',
        'ERR_DLOPEN_FAILED',
      ),
      OTHER_NODE,
    ],
    ['another system', withCode('/a/better_sqlite3.node: invalid ELF header', 'ERR_DLOPEN_FAILED'), OTHER_SYSTEM],
    [
      'another C library',
      withCode("/lib/libm.so.6: version `GLIBC_2.38' not found", 'ERR_DLOPEN_FAILED'),
      OTHER_SYSTEM,
    ],
    ['a locked database', withCode('database is locked', 'SQLITE_BUSY'), null],
    ['a file that is not there', withCode('unable to open database file', 'SQLITE_CANTOPEN'), null],
  ])('%s', (_, error, problem) => {
    expect(nativeModuleProblem(error)).toBe(problem)
  })

  it('names what better-sqlite3 itself throws without its binary', () => {
    const nativeBinding = join(temporaryFolder(), 'better_sqlite3.node')
    let thrown: unknown
    try {
      new Database(':memory:', { nativeBinding })
    } catch (error) {
      thrown = error
    }
    expect(nativeModuleProblem(thrown)).toBe(NOT_BUILT)
  })

  it('is one line with its hint in errors about a ledger', () => {
    const error = asLedgerError(
      new Error('Could not locate the bindings file. Tried:\n → /a'),
      'ledger.sqlite',
      'LEDGER_NOT_READABLE',
    )
    expect(error).toMatchObject({ code: 'LEDGER_NOT_READABLE', message: NOT_BUILT, hint: NATIVE_MODULE_HINT })
  })

  it('names what `bindings` throws where nothing was built', () => {
    const require = createRequire(import.meta.url)
    const folder = dirname(dirname(require.resolve('better-sqlite3')))
    // The test runs in a separate process, because a module cannot be unloaded.
    const script = `const Module = require('node:module'); const load = Module._load
      Module._load = function (name, ...rest) {
        if (name === 'bindings') return () => { throw new Error('Could not locate the bindings file. Tried:\\n → x') }
        if (/better_sqlite3\\.node$/.test(name)) throw Object.assign(new Error("Cannot find module '" + name + "'"), { code: 'MODULE_NOT_FOUND' })
        return load.call(this, name, ...rest)
      }
      try { new (require(${JSON.stringify(folder)}))(':memory:') } catch (error) { console.log(error.message.split('\\n')[0]) }`
    const line = execFileSync(process.execPath, ['-e', script], { encoding: 'utf8' })
    expect(nativeModuleProblem(new Error(line))).toBe(NOT_BUILT)
  })
})
