import { readFileSync } from 'node:fs'
import { generatePrivateKey } from '@sudoagent/crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { decisionHashOf, requestIdOf } from '../support/draft.js'
import { SAMPLE, writeLedger } from '../support/ledger.js'
import { Sandbox } from '../support/sandbox.js'

const box = new Sandbox()
const FACTS = { n: 2, kwargs: { amount: 9000 } }

beforeAll(async () => {
  await writeLedger(box.path('l.sqlite'), SAMPLE)
  await writeLedger(box.path('signed.jsonl'), SAMPLE, generatePrivateKey())
})
afterAll(() => box.remove())

describe('receipt', () => {
  it.each([
    ['--request-id', requestIdOf(2)],
    ['--decision-hash', decisionHashOf(FACTS)],
    ['--decision-hash', decisionHashOf(FACTS).toUpperCase()],
  ])('%s %s names the decision and where it stands', (option, value) => {
    const { code, stdout, stderr } = box.run(['receipt', 'l.sqlite', option, value])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(JSON.parse(stdout)).toMatchObject({
      ledger_position: 3,
      request_id: requestIdOf(2),
      decision_hash: decisionHashOf(FACTS),
      entry_signature: null,
    })
  })

  it('carries the signature, and goes into a file', () => {
    const args = ['receipt', 'signed.jsonl', '--request-id', requestIdOf(2), '--output', 'receipt.json']
    expect(box.run(args)).toEqual({ code: 0, stdout: '', stderr: '' })
    const receipt = JSON.parse(readFileSync(box.path('receipt.json'), 'utf8')) as { entry_signature: string }
    expect(receipt.entry_signature).toMatch(/^[A-Za-z0-9+/]{86}==$/)
  })

  it.each([
    ['--request-id', requestIdOf(99)],
    ['--decision-hash', '0'.repeat(64)],
  ])('%s %s is not on record: exit 1, and no file', (option, value) => {
    const files = box.files()
    const { code, stdout, stderr } = box.run(['receipt', 'l.sqlite', option, value, '--output', 'none.json'])
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toMatch(/^sudoagent: error: [^\n]+\nsudoagent: hint: [^\n]+\n$/)
    expect(box.files()).toEqual(files)
  })

  it.each([
    ['neither', []],
    ['both', ['--request-id', 'a', '--decision-hash', '0'.repeat(64)]],
    ['half a hash', ['--decision-hash', decisionHashOf(FACTS).slice(0, 32)]],
  ])('%s: exit 2', (_, args) => {
    const { code, stdout, stderr } = box.run(['receipt', 'l.sqlite', ...args])
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toMatch(/^sudoagent: error: [^\n]+\nsudoagent: hint: [^\n]+\n$/)
  })
})
