// Tests `SudoEngine.open`, which opens an engine from a ledger path and a signing key.
import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { encryptPrivateKey, generatePrivateKey, parsePublicKey } from '@sudoagent/crypto'
import { LedgerError, openLedgerReader, verify } from '@sudoagent/ledger'
import { MemoryLedger } from '@sudoagent/ledger/memory'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { SudoEngine } from '../src/engine.js'
import { ApprovalDenied } from '../src/error.js'
import { allow, ask, deny } from '../src/policy/results.js'
import { publicKeyPath } from '../src/signing-key.js'
import { rejection } from './fixtures/boundary.js'

let folder = ''
const warnings = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sudoagent-open-'))
  warnings.mockClear()
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const at = (name: string): string => join(folder, name)
const policy = {
  policyId: 'refunds',
  version: '1',
  evaluate: ({ kwargs: { amount } }: { readonly kwargs: { readonly amount?: unknown } }) =>
    amount === 1 ? allow('small') : amount === 2 ? ask('large', 'LARGE') : deny('unknown'),
}
const base = { agentId: 'bot', policy }
const codes = (): unknown[] => warnings.mock.calls.map(([, options]) => (options as { code: string }).code)

async function reportOf(place: string, publicKey?: string) {
  const reader = await openLedgerReader(place)
  try {
    return await verify(reader, publicKey === undefined ? {} : { publicKeys: [parsePublicKey(publicKey)] })
  } finally {
    await reader.close()
  }
}

describe('open', () => {
  it.each(['ledger.sqlite', 'ledger.jsonl'])(
    '%s: a signed ledger from the first call, with a key that is made',
    async (name) => {
      const sudo = await SudoEngine.open({ ...base, ledger: at(name), privateKey: at('ledger.key.pem') })
      const refund = sudo.guard('refund', async ({ amount }: { amount: number }) => `refunded ${amount}`)
      expect(await refund({ amount: 1 })).toBe('refunded 1')
      expect(await rejection(refund({ amount: 3 }))).toBeInstanceOf(ApprovalDenied)
      await sudo.close()
      expect(statSync(at('ledger.key.pem')).mode & 0o777).toBe(0o600)
      const report = await reportOf(at(name), readFileSync(at('ledger.pub.pem'), 'utf8'))
      expect(report).toMatchObject({ verdict: 'signed', decisions: 2, outcomes: 1 })
      expect(readdirSync(folder).filter((file) => file.startsWith('.'))).toEqual([])
      expect(codes()).toEqual(['SUDOAGENT_KEY_MADE'])

      // A second engine appends to the ledger.
      const again = await SudoEngine.open({ ...base, ledger: at(name), privateKey: at('ledger.key.pem') })
      await again.execute(async (_: { amount: number }) => 0, [{ amount: 1 }], { action: 'refund' })
      await again.close()
      expect(await reportOf(at(name), readFileSync(at('ledger.pub.pem'), 'utf8'))).toMatchObject({
        verdict: 'signed',
        decisions: 3,
      })
    },
  )

  it('takes a key as text, and an encrypted one with its passphrase', async () => {
    const key = generatePrivateKey()
    const pem = encryptPrivateKey(key, 'open sesame')
    const sudo = await SudoEngine.open({ ...base, ledger: at('l.jsonl'), privateKey: pem, passphrase: 'open sesame' })
    await sudo.close()
    expect(await reportOf(at('l.jsonl'), key.publicKey.pem)).toMatchObject({ verdict: 'signed', entries: 1 })
    const wrong = SudoEngine.open({ ...base, ledger: at('other.jsonl'), privateKey: pem, passphrase: 'no' })
    expect(await rejection(wrong)).toMatchObject({ code: 'PASSPHRASE_WRONG' })
    expect(existsSync(at('other.jsonl'))).toBe(false)
  })

  it('makes no key for a ledger that is there, nor through a link, nor over another file', async () => {
    await (await SudoEngine.open({ ...base, ledger: at('l.jsonl'), privateKey: at('a.pem') })).close()
    const lost = await rejection(SudoEngine.open({ ...base, ledger: at('l.jsonl'), privateKey: at('b.pem') }))
    expect(lost).toBeInstanceOf(TypeError)
    expect(String(lost)).toMatch(/`b\.pem`|b\.pem` does not exist/)
    expect(existsSync(at('b.pem'))).toBe(false)
    writeFileSync(at('c.pem'), 'hello')
    expect(await rejection(SudoEngine.open({ ...base, ledger: at('n.jsonl'), privateKey: at('c.pem') }))).toMatchObject(
      { name: 'CryptoError' },
    )
    expect(await rejection(SudoEngine.open({ ...base, ledger: at('n.jsonl'), privateKey: folder }))).toBeInstanceOf(
      Error,
    )
    expect(readFileSync(at('c.pem'), 'utf8')).toBe('hello')
    expect(existsSync(at('n.jsonl'))).toBe(false)
  })

  it('makes no key where its public key is there already: the private one was lost', async () => {
    writeFileSync(at('ledger.pub.pem'), 'of another key')
    const lost = SudoEngine.open({ ...base, ledger: at('l.jsonl'), privateKey: at('ledger.key.pem') })
    expect(String(await rejection(lost))).toMatch(/does not exist, but its public key/)
    expect(readdirSync(folder)).toEqual(['ledger.pub.pem'])
  })

  it('of several that begin at once, one makes the key', async () => {
    const open = () => SudoEngine.open({ ...base, ledger: at('l.sqlite'), privateKey: at('ledger.key.pem') })
    const engines = await Promise.all([open(), open(), open()])
    for (const engine of engines) {
      await engine.execute(async (_: { amount: number }) => 0, [{ amount: 1 }], { action: 'refund' })
      await engine.close()
    }
    const report = await reportOf(at('l.sqlite'), readFileSync(at('ledger.pub.pem'), 'utf8'))
    expect(report).toMatchObject({ verdict: 'signed', decisions: 3 })
  })

  it('warns of a key that others can read', async () => {
    writeFileSync(at('k.pem'), generatePrivateKey().pem)
    chmodSync(at('k.pem'), 0o644)
    await (await SudoEngine.open({ ...base, ledger: at('l.jsonl'), privateKey: at('k.pem') })).close()
    expect(codes()).toEqual(['SUDOAGENT_KEY_MODE'])
  })

  it('says once that evidence without a key is unsigned', async () => {
    // A process of its own: other test files share this one, and may have opened unsigned ledgers before.
    const script = `
      import { SudoEngine } from '@sudoagent/core'
      const told = []
      process.emitWarning = (text, { code }) => told.push([code, text])
      const policy = { policyId: 'p', version: '1', evaluate: () => ({ decision: 'allow', reason: 'fine' }) }
      for (const ledger of ${JSON.stringify([at('a.jsonl'), at('b.jsonl')])})
        await (await SudoEngine.open({ agentId: 'bot', policy, ledger })).close()
      console.log(JSON.stringify(told))`
    const cwd = fileURLToPath(new URL('..', import.meta.url))
    const output = execFileSync(process.execPath, ['--input-type=module', '-e', script], { cwd, encoding: 'utf8' })
    const told = JSON.parse(output) as [code: string, text: string][]
    expect(told.map(([code]) => code)).toEqual(['SUDOAGENT_UNSIGNED'])
    expect(told[0]?.[1]).toContain('privateKey: "ledger.key.pem"')
  })

  it('leaves no ledger behind where another option is wrong', async () => {
    const wrong = SudoEngine.open({ ...base, agentId: '', ledger: at('l.sqlite'), privateKey: at('k.pem') })
    expect(await rejection(wrong)).toBeInstanceOf(TypeError)
    expect(readdirSync(folder)).toEqual([])
  })

  it('keeps a ledger open that was given, which has its own signer', async () => {
    const ledger = new MemoryLedger()
    const sudo = await SudoEngine.open({ ...base, ledger })
    await sudo.close()
    await sudo.execute(async (_: { amount: number }) => 0, [{ amount: 1 }], { action: 'refund' })
    expect(await rejection(SudoEngine.open({ ...base, ledger, privateKey: at('k.pem') }))).toBeInstanceOf(TypeError)
  })

  it('names what is missing for a place that it cannot open', async () => {
    expect(await rejection(SudoEngine.open({ ...base, ledger: at('missing/l.sqlite') }))).toBeInstanceOf(LedgerError)
  })

  it('a memory ledger is found by its name', async () => {
    const place = `memory:${folder}`
    const sudo = await SudoEngine.open({ ...base, ledger: place, privateKey: at('k.pem') })
    await sudo.execute(async (_: { amount: number }) => 0, [{ amount: 1 }], { action: 'refund' })
    expect(await reportOf(place, readFileSync(at('k.pub.pem'), 'utf8'))).toMatchObject({
      verdict: 'signed',
      entries: 3,
    })
    expect(await rejection(SudoEngine.open({ ...base, ledger: place }))).toMatchObject({ code: 'LEDGER_LOCKED' })
    await sudo.close()
  })
})

it.each([
  ['ledger.key.pem', 'ledger.pub.pem'],
  ['ledger.pem', 'ledger.pub.pem'],
  ['ledger', 'ledger.pub.pem'],
])('the public key of %s goes to %s', (key, pub) => expect(publicKeyPath(key)).toBe(pub))

describe('policy results', () => {
  it('say what a policy says', () => {
    expect([allow('a'), deny('b'), ask('c', 'D')]).toEqual([
      { decision: 'allow', reason: 'a' },
      { decision: 'deny', reason: 'b' },
      { decision: 'require_approval', reason: 'c', reasonCode: 'D' },
    ])
  })
})
