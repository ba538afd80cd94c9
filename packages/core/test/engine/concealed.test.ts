// Tests arguments that a model hides in a form that redaction mistakes for a secret. The engine must not let a policy
// allow arguments that the policy cannot see.
import { describe, expect, it } from 'vitest'
import { takeSnapshot } from '../../src/arguments/snapshot.js'
import { ApprovalDenied } from '../../src/error.js'
import type { Policy } from '../../src/policy/policy.js'
import type { Concealment } from '../../src/redaction/concealment.js'
import { createRedactor } from '../../src/redaction/redactor.js'
import { ALLOW, ASK, boundary, expectDenied, policyOf, rejection } from '../fixtures/boundary.js'
import { HIDDEN, HIDING_TEXTS } from '../fixtures/redaction-cases.js'

const denyList: Policy = {
  policyId: 'deny-list',
  version: '1',
  evaluate: ({ kwargs }) =>
    JSON.stringify(kwargs).includes('rm -rf')
      ? { decision: 'deny', reason: 'dangerous' }
      : { decision: 'allow', reason: 'not on the list' },
}

describe('a command behind what looks like a secret', () => {
  it.each(HIDING_TEXTS)('%j stays visible', (text) => {
    expect(createRedactor().text(text)).toContain('rm -rf')
  })

  it.each(HIDING_TEXTS)('%j does not run', async (command) => {
    const b = boundary(denyList)
    expect(await rejection(b.tool({ command }))).toBeInstanceOf(ApprovalDenied)
    expect(b.tool.received).toEqual([])
  })
})

const concealedOf = (entry?: { readonly metadata?: object }): readonly Concealment[] =>
  (entry?.metadata as { concealed?: readonly Concealment[] } | undefined)?.concealed ?? []

const sorted = (list: readonly Concealment[]) => [...list].sort((a, b) => (a.kind < b.kind ? -1 : 1))

describe('something concealed that nobody declared a secret', () => {
  it.each(HIDDEN)('%j is listed, denied, and on record', async (args, list) => {
    const b = boundary(ALLOW)
    const error = (await rejection(b.tool(args))) as ApprovalDenied
    await expectDenied(b, error, 'ARGUMENTS_CONCEALED')
    expect(error.denial.retryable).toBe(false)
    expect(error.message).toContain('NOT SHOWN')
    const [entry] = await b.entries()
    expect(sorted(concealedOf(entry))).toEqual(sorted(list))
    expect(entry?.metadata?.policy_result).toMatchObject({ decision: 'allow' })
  })

  it.each(HIDDEN)('%j is not asked about by default', async (args) => {
    let asked = 0
    const approve = async () => {
      asked++
      return true
    }
    const b = boundary(ASK, { approver: { approve } })
    await expectDenied(b, await rejection(b.tool(args)), 'ARGUMENTS_CONCEALED')
    expect(asked).toBe(0)
  })

  it('runs where the policy read the list', async () => {
    const seen: unknown[] = []
    const b = boundary(
      policyOf(({ concealed }) => {
        seen.push(concealed)
        return ALLOW
      }),
    )
    await b.tool({ command: 'echo ghp_abc123' })
    expect(seen).toEqual([[{ path: 'command', kind: 'token', length: 10 }]])
    expect(Object.isFrozen(seen[0])).toBe(true)
    expect(b.tool.received).toHaveLength(1)
  })

  it('does not run where the list was read for another call, after the answer, or by copying the context', async () => {
    const contexts: { readonly concealed: unknown }[] = []
    let calls = 0
    const b = boundary(
      policyOf((context) => {
        contexts.push(context)
        if (calls++ === 0) void context.concealed
        if (calls > 1) void contexts[0]?.concealed
        void JSON.stringify({ ...context })
        setTimeout(() => void context.concealed, 5)
        return ALLOW
      }),
    )
    await b.tool({ command: 'ghp_abc123' })
    await expect(b.tool({ command: 'ghp_abc123' })).rejects.toMatchObject({ code: 'ARGUMENTS_CONCEALED' })
    expect(b.tool.received).toHaveLength(1)
  })

  it('is asked about with `ask`, and the approver is told how much is not shown', async () => {
    for (const answer of [ALLOW, ASK]) {
      const reasons: string[] = []
      const approver = { approve: async ({ reason }: { reason: string }) => reasons.push(reason) > 0 }
      const b = boundary(answer, { onConcealed: 'ask', approver })
      await b.tool({ command: 'echo "password=\'a b\'"' })
      expect(reasons).toEqual([expect.stringMatching(/^3 characters are NOT SHOWN \(command\)\. /)])
      expect((await b.entries())[0]?.approval).toMatchObject({ state: 'approved' })
    }
    const b = boundary(ALLOW, { onConcealed: 'ask', approver: { approve: async () => false } })
    await expectDenied(b, await rejection(b.tool({ command: 'ghp_abc123' })), 'APPROVAL_DENIED')
  })

  it('runs with `allow`, and an approver is still told', async () => {
    const b = boundary(ALLOW, { onConcealed: 'allow' })
    await b.tool({ command: 'ghp_abc123' })
    expect(concealedOf((await b.entries())[0])).toEqual([{ path: 'command', kind: 'token', length: 10 }])
    const reasons: string[] = []
    const approver = { approve: async ({ reason }: { reason: string }) => reasons.push(reason) > 0 }
    await boundary(ASK, { onConcealed: 'allow', approver }).tool({ command: 'ghp_abc123' })
    expect(reasons[0]).toContain('10 characters are NOT SHOWN (command)')
  })

  it('is counted, not listed, beyond 128 places', async () => {
    const b = boundary(ALLOW, { onConcealed: 'allow' })
    await b.tool({ list: Array.from({ length: 300 }, () => 'ghp_abc123') })
    const list = concealedOf((await b.entries())[0])
    expect(list).toHaveLength(129)
    expect(list.at(-1)).toEqual({ path: '…', kind: 'text', length: 1720 })
  })

  it('must be handled in one of three ways', () => {
    expect(() => boundary(ALLOW, { onConcealed: 'never' as 'deny' })).toThrow(/`deny`, `ask` or `allow`/)
  })
})

describe('a declared secret does not stop a call:', () => {
  it.each<[string, unknown]>([
    ['a credential under a sensitive name', { user: 'ada', password: 'hunter2!' }],
    ['a header', { headers: { Authorization: 'Bearer abc.def-123' } }],
    ['cookies', { cookie: 'sid=abc; theme=dark' }],
    ['base64', { api_key: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY' }],
    ['a number', { otp: 123456 }],
    ['a private key', { private_key: '-----BEGIN PRIVATE KEY-----\nMIIEvQIBADAN\n-----END PRIVATE KEY-----\n' }],
    ['a flag of a command line', { argv: ['mysql', '--password', 'hunter2'] }],
    ['a name and its value', { env: [{ name: 'DB_PASSWORD', value: 'hunter2' }] }],
  ])('%s', async (_, args) => {
    const b = boundary(ALLOW)
    await b.tool(args)
    expect(b.tool.received).toEqual([[args]])
    expect(concealedOf((await b.entries())[0])).toHaveLength(1)
  })

  it('what the options name, whatever it holds', async () => {
    const b = boundary(ALLOW, { redaction: { keys: ['diagnosis'], values: [/EMP-\d+/] } })
    await b.tool({ diagnosis: { text: 'a long text', codes: ['a b'] }, note: 'of EMP-12, diagnosis="cold"' })
    expect(b.tool.received).toHaveLength(1)
    await expect(b.tool({ note: 'ghp_abc123' })).rejects.toMatchObject({ code: 'ARGUMENTS_CONCEALED' })
  })
})

describe('a text that begins like a tag is told apart from it', () => {
  it.each<[unknown, unknown]>([
    [undefined, '<undefined>'],
    [Buffer.alloc(8), '<Buffer:8>'],
    [new Map([['x', 1]]), { '<Map>': [['x', 1]] }],
    [new Set([1]), { '<Set>': [1] }],
    ['ghp_abc123', '[redacted]'],
    ['ghp_abc123 tail', '[redacted] tail'],
    [{ ghp_abc123: 1 }, { '[redacted]': 1 }],
    ['<undefined>', '<text><undefined>'],
    [() => 1, '<function>'],
  ])('%j and %j', (value, text) => {
    const redactor = createRedactor()
    const [one, other] = [value, text].map((each) => redactor.json(takeSnapshot([each]).values[0]))
    expect(one).not.toEqual(other)
  })
})
