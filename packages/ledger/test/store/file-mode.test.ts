import { chmodSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { JsonlLedger } from '../../src/store/jsonl/ledger.js'
import { openLedgerReader } from '../../src/store/open.js'
import { SqliteLedger } from '../../src/store/sqlite/ledger.js'
import { verify } from '../../src/verify/verify.js'
import { temporaryFolder } from '../fixtures/temporary.js'

const KINDS = [
  ['SQLite', SqliteLedger, 'l.sqlite'],
  ['JSONL', JsonlLedger, 'l.jsonl'],
] as const

async function warningsOf(path: string): Promise<readonly string[]> {
  const reader = await openLedgerReader(path)
  const { warnings, ok } = await verify(reader)
  await reader.close()
  expect(ok).toBe(true)
  return warnings.map(({ code, message, hint }) => `${code}: ${message}; ${hint}`)
}

describe.skipIf(process.platform === 'win32').each(KINDS)('a %s ledger', (_, Ledger, name) => {
  async function made(): Promise<string> {
    const folder = join(temporaryFolder(), 'in')
    mkdirSync(folder, { mode: 0o755 })
    const path = join(folder, name)
    const ledger = Ledger.open(path)
    await ledger.begin()
    await ledger.close()
    return path
  }

  async function writerWarningsOf(path: string): Promise<readonly string[]> {
    const emit = vi.spyOn(process, 'emitWarning').mockReturnValue()
    onTestFinished(() => emit.mockRestore())
    for (let n = 0; n < 2; n += 1) await Ledger.open(path).close()
    const said = emit.mock.calls.map(([text]) => String(text))
    emit.mockRestore()
    return said
  }

  it.each([
    [0o600, 0, 0],
    [0o644, 0, 0],
    [0o660, 0, 1],
    [0o620, 0, 1],
    [0o602, 1, 1],
    [0o666, 1, 1],
  ])('of mode %o: the report has %i warnings, a writer says %i, once', async (mode, ofReport, ofWriter) => {
    const path = await made()
    chmodSync(path, mode)
    const hint = 'run `chmod 600` on the file, so that only its owner can write to it'
    const expected = `other users can write to the file (mode 0${mode.toString(8)}); ${hint}`
    expect(await warningsOf(path)).toEqual(Array(ofReport).fill(`STORE_WRITABLE_BY_OTHERS: ${expected}`))
    expect(await writerWarningsOf(path)).toEqual(Array(ofWriter).fill(`ledger \`${path}\`: ${expected}`))
  })

  it.each([
    [0o777, 1],
    [0o1777, 0],
    [0o775, 0],
  ])('in a folder of mode %o: %i warnings', async (mode, count) => {
    const path = await made()
    chmodSync(join(path, '..'), mode)
    expect(await warningsOf(path)).toHaveLength(count)
    expect(await writerWarningsOf(path)).toHaveLength(count)
    chmodSync(join(path, '..'), 0o755)
  })
})
