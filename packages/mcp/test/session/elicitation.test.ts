// Tests which questions the guard sends to the person at the client, and which it does not send.
import type { ApprovalRequest } from '@sudoagent/core'
import { sha256Hex } from '@sudoagent/crypto'
import { describe, expect, it } from 'vitest'
import { questionOf } from '../../../core/test/fixtures/approval.js'
import { elicitApproval } from '../../src/session/elicitation.js'
import { type Json, Rig, textOf } from '../support/rig.js'

const ran = (rig: Rig): Json[] => rig.served('tools/call')
const codeOf = (result: Json): string => result._meta['dev.sudoagent/denial'].code
/** Starts a session with a client that approves everything. */
const approving = async (options: object = {}): Promise<Rig> => {
  const rig = await Rig.open({ capabilities: { elicitation: {} }, ...options })
  rig.client.answer = ({ method }) =>
    method === 'elicitation/create' ? { action: 'accept', content: { decision: 'approve' } } : undefined
  return rig
}

const TERMS = { clientName: 'tester', equalUse: null, note: () => {} }
const REQUEST: ApprovalRequest = {
  approvalId: 'a',
  binding: { requestId: 'a', policyHash: sha256Hex('p'), decisionHash: sha256Hex('d') },
  action: 'files/write',
  agentId: 'bot',
  args: [],
  kwargs: { path: 'a' },
  reason: 'r',
  createdAt: new Date(0),
  expiresAt: new Date(1_000),
}

describe('the person at the client', () => {
  it('is told first what is not shown', async () => {
    let message = ''
    const ask = async (params: Readonly<Record<string, unknown>>): Promise<object> => {
      message = String(params.message)
      return { action: 'cancel' }
    }
    const request = { ...REQUEST, kwargs: { command: 'login [redacted]', password: '[redacted]' } }
    await elicitApproval(ask, TERMS, request, new AbortController().signal)
    expect(message.split('\n')[1]).toBe('NOT SHOWN: 2 parts of the arguments, marked [redacted] below')
  })

  it('is told which agent asks, and for whom', async () => {
    let message = ''
    const ask = async (params: Readonly<Record<string, unknown>>): Promise<object> => {
      message = String(params.message)
      return { action: 'cancel' }
    }
    const authority = {
      on_behalf_of: { id: 'ali\u202ece', type: 'user', assurance: 'asserted' },
      tenant: 'acme',
      delegation: [{ id: 'one' }, { id: 'two' }],
    } as const
    await elicitApproval(ask, TERMS, { ...REQUEST, authority }, new AbortController().signal)
    expect(message.split('\n').slice(0, 5)).toEqual([
      'SudoAgent: may the agent bot call files/write?',
      'For: user ali\\u{202e}ce, asserted',
      'Through: one',
      'Through: two',
      'Tenant: acme',
    ])
  })

  it('is shown of a question first what is redacted, what it needs, and what no hash covers', async () => {
    let message = ''
    const ask = async (params: Readonly<Record<string, unknown>>): Promise<object> => {
      message = String(params.message)
      return { action: 'cancel' }
    }
    const question = questionOf('q1', { authority: { tenant: 'acme' }, asked: { redacted: 1 } })
    await elicitApproval(ask, TERMS, question, new AbortController().signal)
    expect(message.split('\n')).toEqual([
      'Redacted: 1 value is not shown as the call gets it',
      'SudoAgent: may the agent support-bot call refund?',
      'Tenant: acme',
      'Rule: refunds',
      'Needs: 1 approval',
      'Arguments: {"amount":500,"note":"broken on arrival"}',
      'Reason (not part of what you sign): high value',
    ])
  })

  it('is not asked about a request that shows another call than its hashes cover', async () => {
    const asked: unknown[] = []
    const ask = async (params: unknown): Promise<object> => {
      asked.push(params)
      return { action: 'accept', content: { decision: 'approve' } }
    }
    const decision = { decisionAt: '2026-01-02T03:04:05.000000Z', source: 'node', authorityHash: null }
    expect(await elicitApproval(ask, TERMS, { ...REQUEST, decision }, new AbortController().signal)).toEqual({
      approved: false,
      reason: 'the request does not show the call that its hashes cover',
    })
    expect(asked).toEqual([])
  })

  it.each<[string, object]>([
    ['a key that sorts first pads the question', { a: 'lorem '.repeat(400), z_command: 'rm -rf /' }],
    ['one long text', { path: 'x'.repeat(10_000) }],
    ['many small ones', Object.fromEntries(Array.from({ length: 400 }, (_, n) => [`k${n}`, n]))],
    ['escapes make it long', { path: '\u202e'.repeat(300) }],
  ])('is not asked where the arguments would be cut (%s): then the store counts alone', async (_, args) => {
    const rig = await approving()
    const result = rig.callTool('write', args)
    await rig.resolve('denied')
    expect(codeOf(await result)).toBe('APPROVAL_DENIED')
    expect(rig.client.got.filter(({ method }) => method === 'elicitation/create')).toEqual([])
    expect(rig.notes.join('\n')).toContain('too long to be shown in full')
    expect(ran(rig)).toEqual([])
  })

  it('is not asked unless an option says so', async () => {
    const rig = await approving({ elicitation: undefined })
    const result = rig.callTool('write')
    await rig.resolve('denied')
    expect(codeOf(await result)).toBe('APPROVAL_DENIED')
    expect(rig.client.got.filter(({ method }) => method === 'elicitation/create')).toEqual([])
  })

  it.each<[string, string]>([
    ['alice\u001b[2K\u202e admin', 'mcp-client:alice\\u{1b}[2K\\u{202e} admin'],
    ['ada\nstate     approved', 'mcp-client:ada\\u{a}state     approved'],
    ['\u200b\u00ad', 'mcp-client:\\u{200b}\\u{ad}'],
    ['', 'mcp-client:unnamed'],
  ])('of a client that calls itself %j is recorded as the word of that client', async (name, approverId) => {
    const rig = new Rig()
    rig.session = await rig.guard.open(rig.client, rig.server)
    rig.client.answer = ({ method }) =>
      method === 'elicitation/create' ? { action: 'accept', content: { decision: 'approve' } } : undefined
    const capabilities = { elicitation: {} }
    await rig.ask('initialize', { protocolVersion: '2025-11-25', capabilities, clientInfo: { name, version: '1' } })
    expect(textOf(await rig.callTool('write'))).toBe('ran write')
    expect((await rig.first('decision')).approval.approver_id).toBe(approverId)
  })
})

it('the person at the client is told that an equal call of the agent ran', async () => {
  const rig = await approving()
  await rig.callTool('write', { path: 'a' })
  await rig.callTool('write', { path: 'b' })
  await expect
    .poll(async () => (await rig.store.list({ state: 'approved' }, new Date())).map((r) => r.consumedAt))
    .not.toContain(null)
  await rig.callTool('write', { path: 'a' })
  const notes = rig.client.got
    .filter(({ method }) => method === 'elicitation/create')
    .map(({ params }) => /^NOTE: an equal call of this agent ran \d+ s ago, at 20\S+Z$/m.test(params.message))
  expect(notes).toEqual([false, false, true])
})
