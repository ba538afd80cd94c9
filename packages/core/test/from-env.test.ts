import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { LedgerError, openLedgerReader, verify } from '@sudoagent/ledger'
import { MemoryLedger } from '@sudoagent/ledger/memory'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { SudoEngine } from '../src/engine.js'
import { ApprovalDenied, AuditLogError } from '../src/error.js'
import { type FromEnvOptions, partsFromEnv } from '../src/from-env.js'
import { ALLOW, ASK, policyOf, rejection } from './fixtures/boundary.js'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sudoagent-env-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const base = { policy: policyOf(() => ALLOW), agentId: 'agent' }

describe('fromEnv', () => {
  it.each(['sqlite', 'jsonl'])('%s: writes the ledger where it is told, and the audit log beside it', async (kind) => {
    const path = join(folder, `ledger.${kind}`)
    const env = { SUDOAGENT_LEDGER: kind, SUDOAGENT_LEDGER_PATH: path }
    const engine = await SudoEngine.fromEnv({ ...base, env })
    expect(await engine.execute(async () => 'done', [], { action: 'tool' })).toBe('done')
    await engine.close()
    expect(await rejection(engine.execute(async () => 'done', [], { action: 'tool' }))).toBeInstanceOf(AuditLogError)
    const reader = await openLedgerReader(path)
    expect(reader.kind).toBe(kind)
    expect(await verify(reader)).toMatchObject({ ok: true, entries: 3 })
    await reader.close()
    expect(readFileSync(join(folder, 'sudo_audit.jsonl'), 'utf8').trimEnd().split('\n')).toHaveLength(4)
  })

  it('reads the commitment key from the file that SUDOAGENT_COMMITMENT_KEY_FILE names', async () => {
    const file = join(folder, 'commitment.key')
    writeFileSync(file, Buffer.alloc(32, 7), { mode: 0o600 })
    const env = { SUDOAGENT_LEDGER_PATH: join(folder, 'l.sqlite'), SUDOAGENT_COMMITMENT_KEY_FILE: file }
    const keyOf = async (options: Partial<FromEnvOptions>) => {
      const { parts, close } = await partsFromEnv({ ...base, env, ...options })
      await close()
      return parts.commitmentKey
    }
    expect(await keyOf({})).toEqual(new Uint8Array(32).fill(7))
    const own = new Uint8Array(40)
    expect(await keyOf({ commitmentKey: own })).toBe(own)
    expect(await keyOf({ env: { ...env, SUDOAGENT_COMMITMENT_KEY_FILE: '' } })).toBeUndefined()
    writeFileSync(file, 'short')
    expect(await rejection(keyOf({}))).toMatchObject({ code: 'KEY_INVALID' })
    if (process.platform !== 'win32') {
      writeFileSync(file, Buffer.alloc(32, 7))
      chmodSync(file, 0o644)
      expect(await rejection(keyOf({}))).toMatchObject({ hint: 'run `chmod 600` on the file' })
    }
  })

  it('SQLite is the default', async () => {
    const path = join(folder, 'ledger')
    const { close } = await partsFromEnv({ ...base, env: { SUDOAGENT_LEDGER_PATH: path } })
    await close()
    expect(readFileSync(path).subarray(0, 15).toString()).toBe('SQLite format 3')
  })

  it('close leaves a ledger alone that was given', async () => {
    const ledger = new MemoryLedger()
    const engine = await SudoEngine.fromEnv({ ...base, ledger, auditLog: { write: () => {} }, env: {} })
    await engine.close()
    expect(await engine.execute(async () => 'done', [], { action: 'tool' })).toBe('done')
  })

  it('approves only when SUDOAGENT_AUTO_APPROVE is 1', async () => {
    const asking = {
      policy: policyOf(() => ASK),
      agentId: 'agent',
      ledger: new MemoryLedger(),
      auditLog: { write: () => {} },
    }
    const run = async (value: string | undefined) =>
      (await SudoEngine.fromEnv({ ...asking, env: { SUDOAGENT_AUTO_APPROVE: value } })).execute(
        async () => 'done',
        [],
        { action: 'tool' },
      )
    expect(await run('1')).toBe('done')
    for (const off of [undefined, '', '0']) expect(await rejection(run(off))).toBeInstanceOf(ApprovalDenied)
    for (const wrong of ['true', 'yes', ' 1']) expect(await rejection(run(wrong))).toBeInstanceOf(TypeError)
  })

  it('refuses a kind of ledger that it does not know, and a folder that is not there', async () => {
    expect(await rejection(SudoEngine.fromEnv({ ...base, env: { SUDOAGENT_LEDGER: 'postgres' } }))).toBeInstanceOf(
      TypeError,
    )
    const env = { SUDOAGENT_LEDGER_PATH: join(folder, 'missing', 'ledger.sqlite') }
    expect(await rejection(SudoEngine.fromEnv({ ...base, env }))).toBeInstanceOf(LedgerError)
    expect(existsSync(join(folder, 'missing'))).toBe(false)
  })
})
