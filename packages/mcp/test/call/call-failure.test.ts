// Tests that each cause of a call without a result has its own text for the model, and its own code in the ledger.
import { MemoryLedger } from '@sudoagent/ledger/memory'
import { describe, expect, it } from 'vitest'
import { type Json, Rig, type RigOptions, TOOLS, textOf } from '../support/rig.js'

/** Makes the server accept calls without answering them. */
const mute = (rig: Rig): void => {
  const usual = rig.server.answer
  rig.server.answer = (message) => (message.method === 'tools/call' ? undefined : usual(message))
}
const running = async (rig: Rig): Promise<void> =>
  void (await rig.server.heard(({ method }) => method === 'tools/call'))
const change = (rig: Rig): void => {
  rig.tools = TOOLS.map((tool) => ({ ...tool, description: 'another one' }))
  rig.server.say({ method: 'notifications/tools/list_changed' })
}

interface Case {
  readonly name: string
  readonly options?: RigOptions
  /** Makes the call. @returns the result for the model, if the client still waits for a result */
  readonly call: (rig: Rig) => Promise<Json>
  /** The text for the model. */
  readonly told: RegExp | null
  /** The last line of the ledger. */
  readonly recorded: string | RegExp
}

const CASES: readonly Case[] = [
  {
    name: 'the policy says no',
    call: (rig) => rig.callTool('drop'),
    told: /^denied: not on the list \(POLICY_DENY_HIGH_RISK\)\. The call did not run\. The policy denied it/,
    recorded: 'deny files/drop POLICY_DENY_HIGH_RISK',
  },
  {
    name: 'a person says no',
    call: async (rig) => {
      const result = rig.callTool('write')
      await rig.resolve('denied')
      return await result
    },
    told: /^denied: .* \(APPROVAL_DENIED\)\. The call did not run\. It was not approved\. Do not retry it unchanged/,
    recorded: 'deny files/write APPROVAL_DENIED',
  },
  {
    name: 'no person answers in time',
    options: { approvalTtlMs: 50 },
    call: (rig) => rig.callTool('write'),
    told: /^denied: no approval before the deadline \(APPROVAL_EXPIRED\)\. The call did not run\. It may succeed later/,
    recorded: 'deny files/write APPROVAL_EXPIRED',
  },
  {
    name: 'the arguments are too long',
    call: (rig) => rig.callTool('read', { text: 'x'.repeat(300_000) }),
    told: /\(PARAMETERS_INVALID\)\. The call did not run\. Its arguments were rejected/,
    recorded: 'deny files/read PARAMETERS_INVALID',
  },
  {
    name: 'the tool is unknown',
    call: (rig) => rig.callTool('hidden'),
    told: /\(TOOL_UNKNOWN\)\. The call did not run\. List the tools/,
    recorded: 'deny files/<unknown> TOOL_UNKNOWN',
  },
  {
    name: 'the definition has changed',
    call: async (rig) => {
      await rig.callTool('read')
      change(rig)
      return await rig.callTool('read')
    },
    told: /\(TOOL_DEFINITION_CHANGED\)\. The call did not run\. Do not retry it until an operator/,
    recorded: 'deny files/read TOOL_DEFINITION_CHANGED',
  },
  {
    name: 'the definition changes before an approved call is sent',
    call: async (rig) => {
      const result = rig.callTool('write')
      await rig.openApproval()
      change(rig)
      await rig.resolve('approved')
      return await result
    },
    told: /\(TOOL_DEFINITION_CHANGED\)\. The call did not run\./,
    recorded: /^error files\/write: the tool definition .*; the call did not run$/,
  },
  {
    name: 'the call comes right after the end of the server, while an approval is open',
    call: async (rig) => {
      await rig.callTool('read')
      void rig.callTool('write')
      await rig.openApproval()
      void rig.server.close()
      return await rig.callTool('read')
    },
    told: /^denied: the session is closed: the server disconnected \(SERVER_ENDED\)\. The call did not run\. No more calls can run in this session/,
    recorded: 'deny files/read SERVER_ENDED',
  },
  {
    name: 'the server ends in the call',
    call: async (rig) => {
      mute(rig)
      const result = rig.callTool('read')
      await running(rig)
      await rig.server.close()
      return await result
    },
    told: /^failed: the server disconnected during the call; the call was sent to the server and may have run \(SERVER_ENDED\)/,
    recorded:
      'error files/read: the server disconnected during the call; the call was sent to the server and may have run',
  },
  {
    name: 'the server does not answer',
    options: { callTimeoutMs: 30 },
    call: (rig) => {
      mute(rig)
      return rig.callTool('read')
    },
    told: /^failed: no answer within 30 ms; the call was sent to the server and may have run \(SERVER_TIMEOUT\)/,
    recorded: 'error files/read: no answer within 30 ms; the call was sent to the server and may have run',
  },
  {
    name: 'the client cancels while an approval is open',
    call: async (rig) => {
      const id = rig.send('tools/call', { name: 'write', arguments: {} })
      await rig.openApproval()
      rig.client.say({ method: 'notifications/cancelled', params: { requestId: id } })
    },
    told: null,
    recorded: 'deny files/write CALL_CANCELLED',
  },
  {
    name: 'the client goes away in the call',
    call: async (rig) => {
      mute(rig)
      rig.send('tools/call', { name: 'read', arguments: {} })
      await running(rig)
      await rig.client.close()
    },
    told: null,
    recorded: 'error files/read: the client disconnected; the call was sent to the server and may have run',
  },
]

describe('a call without a result', () => {
  it.each(CASES)('$name', async ({ options = {}, call, told, recorded }) => {
    const rig = await Rig.open(options)
    const result = await call(rig)
    if (told !== null) {
      expect(result.isError).toBe(true)
      expect(textOf(result)).toMatch(told)
    }
    await expect.poll(async () => (await rig.story()).at(-1)).toMatch(recorded)
    expect(rig.notes.join('\n')).not.toMatch(/internal error|unknown/)
  })

  it.each(CASES.filter(({ recorded }) => String(recorded).startsWith('deny files/write')))(
    '$name: the denial ends the recorded question',
    async ({ options = {}, call, recorded }) => {
      const rig = await Rig.open(options)
      await call(rig)
      await expect.poll(() => rig.story()).toContain(recorded)
      const { approval_id, requirement, redacted, expires_at, decision_hash } = await rig.question()
      const decision = await rig.decisionOf(approval_id)
      expect(decision.approval).toMatchObject({ approval_id, requirement, redacted, expires_at })
      expect(decision.decision).toMatchObject({ effect: 'deny', decision_hash })
      expect(await rig.store.list({ state: 'pending' }, new Date())).toEqual([])
    },
  )

  it('no two causes share their words, on record or to the model', async () => {
    const words = CASES.map(({ told, recorded }) => `${told} ${recorded}`)
    expect(new Set(words).size).toBe(CASES.length)
  })

  it('is on record before the session is over', async () => {
    const memory = new MemoryLedger()
    const ledger = {
      append: async (draft: Parameters<MemoryLedger['append']>[0]) => {
        await new Promise((resolve) => setTimeout(resolve, 30))
        return memory.append(draft)
      },
      close: () => memory.close(),
    }
    const rig = await Rig.open({ ledger })
    await rig.callTool('read')
    void rig.callTool('write')
    await rig.openApproval()
    void rig.server.close()
    const late = rig.callTool('read')
    await rig.session.closed
    expect(textOf(await late)).toContain('SERVER_ENDED')
    const codes: string[] = []
    for (const { entry } of await memoryEntries(memory))
      if (entry.event === 'decision') codes.push(entry.decision.reason_code)
    // This ledger does not record questions, so the waiting call is denied.
    expect(codes.sort()).toEqual(['CALL_CANCELLED', 'POLICY_ALLOW_LOW_RISK', 'SERVER_ENDED'])
  })
})

describe('the end of a session while an approval is open leaves the question open', () => {
  it.each<[string, (rig: Rig) => Promise<unknown>, boolean]>([
    ['the server ends', (rig) => rig.server.close(), true],
    ['the client goes away', (rig) => rig.client.close(), false],
    ['the guard stops', (rig) => rig.guard.close(), true],
  ])('%s', async (_, end, isTold) => {
    const rig = await Rig.open()
    const result = rig.callTool('write', { path: 'a' })
    await rig.openApproval()
    await end(rig)
    if (isTold) expect(textOf(await result)).toMatch(/^pending: a person must approve this call/)
    await rig.session.closed
    expect(await rig.story()).toEqual([])
    await rig.resolve('approved')
    const other = await rig.another()
    expect(textOf(await other.callTool('write', { path: 'a' }))).toBe('ran write')
    expect(rig.served('tools/call')).toEqual([])
    expect(await rig.story()).toEqual(['allow files/write POLICY_REQUIRE_APPROVAL_HIGH_VALUE', 'success files/write'])
  })
})

async function memoryEntries(memory: MemoryLedger): Promise<Json[]> {
  const { select } = await import('@sudoagent/ledger')
  const found: Json[] = []
  for await (const record of select(memory.reader())) found.push(record)
  return found
}

describe('what the client’s side can read', () => {
  it('of an open approval on the guard’s notes is a hash, said at once and once', async () => {
    const rig = await Rig.open({ holdMs: 20 })
    const pending = await rig.callTool('write', { path: 'a' })
    const { approvalId, binding } = await rig.openApproval()
    await rig.callTool('write', { path: 'a' })
    const notes = rig.notes.filter((note) => note.includes('approval'))
    expect(notes).toHaveLength(1)
    expect(notes[0]).toContain(pending._meta['dev.sudoagent/pending'].id)
    for (const secret of [approvalId, binding.decisionHash, binding.policyHash])
      expect(rig.notes.join('\n')).not.toContain(secret)
  })

  it('is said before the call is answered', async () => {
    const rig = await Rig.open()
    void rig.callTool('write')
    await rig.openApproval()
    await expect.poll(() => rig.notes.join('\n')).toContain('`files/write` is waiting for approval by a person')
    await rig.resolve('denied')
  })
})
