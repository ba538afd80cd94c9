// Tests options that many commands share, such as `--json` for every command that prints a result.
import { writeFileSync } from 'node:fs'
import { generatePrivateKey, parsePublicKey } from '@sudoagent/crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { storeWith } from './support/approval-store.js'
import { requestIdOf } from './support/draft.js'
import { SAMPLE, writeLedger } from './support/ledger.js'
import { Sandbox } from './support/sandbox.js'

const box = new Sandbox()
const [key, next] = [generatePrivateKey(), generatePrivateKey()]

beforeAll(async () => {
  await writeLedger(box.path('l.sqlite'), SAMPLE, key)
  writeFileSync(box.path('key.pem'), key.pem, { mode: 0o600 })
  writeFileSync(box.path('next.pem'), next.pem, { mode: 0o600 })
  writeFileSync(box.path('pub.pem'), key.publicKey.pem)
  box.run(['checkpoint', 'l.sqlite', '--output', 'kept.checkpoint'])
  await storeWith(box, { amount: '5' }, ['first', 'second'])
})
afterAll(() => box.remove())

/** Parses stdout as JSON, and expects nothing on stderr. */
function json(args: readonly string[]): unknown {
  const { code, stdout, stderr } = box.run(args)
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  return JSON.parse(stdout)
}

const HASH = expect.stringMatching(/^[A-Za-z0-9+/]{43}=$/)

describe('--json', () => {
  it('keygen', () => {
    const value = json(['keygen', '--private-key', 'a.pem', '--public-key', 'b.pem', '--json'])
    expect(value).toEqual({ key_id: expect.any(String), private_key: 'a.pem', public_key: 'b.pem', encrypted: false })
  })

  it('consistency', () => {
    const value = json(['consistency', 'l.sqlite', '--from', 'kept.checkpoint', '--public-key', 'pub.pem', '--json'])
    const of = { size: 11, root: HASH }
    expect(value).toEqual({ origin: expect.any(String), from: of, to: of, proof: [], signatures_checked: true })
    expect(json(['consistency', 'l.sqlite', '--from', 'kept.checkpoint', '--json'])).toMatchObject({
      signatures_checked: false,
    })
  })

  it('copy, and again', () => {
    expect(json(['copy', 'l.sqlite', 'c.jsonl', '--json'])).toEqual({ entries: 11, already_there: 0, root: HASH })
    expect(json(['copy', 'l.sqlite', 'c.jsonl', '--json'])).toMatchObject({ entries: 11, already_there: 11 })
  })

  it('key rotate, retire and close', () => {
    box.run(['copy', 'l.sqlite', 'k.sqlite'])
    const ours = { key_id: next.publicKey.keyId, added_by: key.publicKey.keyId }
    expect(
      json(['key', 'rotate', 'k.sqlite', '--private-key', 'key.pem', '--new-private-key', 'next.pem', '--json']),
    ).toEqual({ position: 12, ...ours })
    expect(
      json(['key', 'retire', 'k.sqlite', '--key-id', ours.added_by, '--private-key', 'next.pem', '--json']),
    ).toEqual({ position: 13, key_id: ours.added_by })
    expect(json(['key', 'close', 'k.sqlite', '--private-key', 'next.pem', '--yes', '--json'])).toEqual({ position: 14 })
    expect(parsePublicKey(next.publicKey.pem).keyId).toBe(ours.key_id)
  })

  it.each([
    ['approve', 'first', 'approved'],
    ['deny', 'second', 'denied'],
  ])('approvals %s', (command, id, state) => {
    const value = json(['approvals', command, 'approvals.sqlite', id, '--approver', 'alice', '--yes', '--json'])
    expect(value).toMatchObject({ approval_id: id, state, approver_id: 'alice' })
  })

  it.each([
    ['show', ['show', 'l.sqlite', '5']],
    ['receipt', ['receipt', 'l.sqlite', '--request-id', requestIdOf(3)]],
    ['filter', ['filter', 'l.sqlite']],
    ['search', ['search', 'l.sqlite', '--query', 'ticket']],
    ['export', ['export', 'l.sqlite']],
  ])('%s: the same as --format json, and not with another format', (_, args) => {
    const same = box.run([...args, '--format', 'json'])
    expect(box.run([...args, '--json'])).toEqual(same)
    expect(() => JSON.parse(same.stdout)).not.toThrow()
    const other = args[0] === 'show' ? 'text' : args[0] === 'receipt' ? 'tlog-proof' : 'csv'
    const both = box.run([...args, '--json', '--format', other])
    expect([both.code, both.stdout]).toEqual([2, ''])
    expect(both.stderr).toMatch(/`--json`.*`--format <format>`/)
  })
})
