import type { HookCallback, Options } from '@anthropic-ai/claude-agent-sdk'
import { guardToolCalls } from '@sudoagent/adapters/claude-agent-sdk'
import { AllowAllPolicy, DenyAllPolicy, type Policy, SudoEngine } from '@sudoagent/core'
import { verify } from '@sudoagent/ledger'
import { MemoryLedger } from '@sudoagent/ledger/memory'
import { describe, expect, expectTypeOf, it, vi } from 'vitest'
import { entriesOf } from '../../packages/adapters/test/entries.js'
import { testFramework } from './contract.js'
import { claudeAgentSdk, runSession, StandIn } from './framework/claude-agent-sdk.js'
import { deskFor } from './scenario.js'

testFramework(claudeAgentSdk)

function world(policy: Policy = new AllowAllPolicy(), more: Partial<ConstructorParameters<typeof SudoEngine>[0]> = {}) {
  const ledger = new MemoryLedger()
  return { ledger, engine: new SudoEngine({ policy, agentId: 'bot', ledger, ...more }) }
}
const call = (id: string, input: object = { command: 'ls' }) => ({
  tool_name: 'Bash',
  tool_use_id: id,
  tool_input: input,
})
const story = async (ledger: MemoryLedger): Promise<unknown[]> =>
  (await entriesOf(ledger)).map((entry) => (entry.event === 'outcome' ? entry.outcome?.status : entry.decision.effect))
const asks: Policy = { policyId: 'asks', evaluate: () => ({ decision: 'require_approval', reason: 'always' }) }

/** Runs a session that is scripted by the test. */
const session = (options: Options, script: (claude: StandIn) => Promise<void>): Promise<void> => {
  let failure: unknown
  const standIn = new StandIn((claude) =>
    script(claude).catch((error: unknown) => {
      failure = error
    }),
  )
  return runSession(standIn, options).then(() => {
    if (failure !== undefined) throw failure
  })
}

describe('guardToolCalls', () => {
  it('is a part of the options of query', () => {
    expectTypeOf(guardToolCalls(world().engine)).toExtend<Options>()
  })

  it('registers a hook for every tool that blocks when it fails and is not given up on before an approval ends', async () => {
    await session(guardToolCalls(world().engine), async ({ initialize }) => {
      const [before, ...more] = initialize.hooks?.PreToolUse ?? []
      expect(more).toEqual([])
      expect(before).toMatchObject({ onFailure: 'block', timeout: 7_200 })
      expect(before).not.toHaveProperty('matcher', expect.any(String))
      expect(Object.keys(initialize.hooks ?? {}).sort()).toEqual([
        'PermissionDenied',
        'PostToolUse',
        'PostToolUseFailure',
        'PreToolUse',
      ])
    })
  })

  it('refuses a Claude Code that does not know `onFailure`', async () => {
    class Old extends StandIn {
      override knows = false
    }
    const old = new Old(async () => expect.unreachable())
    await expect(runSession(old, guardToolCalls(world().engine))).rejects.toThrow(/onFailure/)
  })

  it('answers canUseTool, and a call that the hook decided about is decided once', async () => {
    const { engine, ledger } = world()
    await session(guardToolCalls(engine), async (claude) => {
      const asked = { subtype: 'can_use_tool', tool_name: 'Bash', tool_use_id: 'a', input: { command: 'ls' } }
      await claude.hook('PreToolUse', call('a'))
      expect(await claude.ask(asked)).toMatchObject({ behavior: 'allow', updatedInput: { command: 'ls' } })
      expect(await story(ledger)).toEqual(['allow'])
      const other = { ...asked, input: { command: 'rm' } }
      expect(await claude.ask(other)).toMatchObject({ behavior: 'allow', updatedInput: { command: 'rm' } })
      expect(await story(ledger)).toEqual(['allow', 'allow'])
    })
  })

  it('takes no answer about one tool for another under the same id', async () => {
    const onlyRead: Policy = {
      policyId: 'read',
      version: '1',
      evaluate: ({ action }) => ({ decision: action === 'Read' ? 'allow' : 'deny', reason: 'reading only' }),
    }
    const { engine, ledger } = world(onlyRead)
    await session(guardToolCalls(engine), async (claude) => {
      await claude.hook('PreToolUse', { ...call('a'), tool_name: 'Read' })
      for (const tool_name of ['Bash', 'read', 'Read ', 'mcp__x__Read']) {
        const asked = { subtype: 'can_use_tool', tool_name, tool_use_id: 'a', input: { command: 'ls' } }
        expect(await claude.ask(asked)).toMatchObject({ behavior: 'deny' })
      }
      expect(await story(ledger)).toEqual(['allow', 'deny', 'deny', 'deny', 'deny'])
      // The end of a different tool's call does not end this call.
      await claude.hook('PostToolUse', { ...call('a'), tool_response: '' })
      expect(await story(ledger)).not.toContain('success')
      await claude.hook('PostToolUse', { ...call('a'), tool_name: 'Read', tool_response: '' })
      expect((await story(ledger)).at(-1)).toBe('success')
    })
  })

  it('denies through canUseTool with the text', async () => {
    await session(guardToolCalls(world(new DenyAllPolicy()).engine), async (claude) => {
      const asked = { subtype: 'can_use_tool', tool_name: 'Bash', tool_use_id: 'a', input: {} }
      expect(await claude.ask(asked)).toMatchObject({
        behavior: 'deny',
        message: expect.stringContaining('This call was denied by policy, so it did not run (POLICY_DENY_HIGH_RISK).'),
      })
    })
  })

  it('denies when the guard itself fails, and warns the host', async () => {
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
    const wrong = guardToolCalls(world().engine, { thereIsNoSuchOption: '/srv/secret' } as never)
    await session(wrong, async (claude) => {
      const { hookSpecificOutput } = await claude.hook('PreToolUse', call('a'))
      expect(hookSpecificOutput).toMatchObject({
        permissionDecision: 'deny',
        permissionDecisionReason:
          'This call was denied because the authorization check failed, so it did not run (BOUNDARY_FAILED). Reason: no decision was made. Do not repeat this call unchanged.',
      })
    })
    expect(String(warn.mock.calls[0]?.[0])).toContain('thereIsNoSuchOption')
    warn.mockRestore()
  })

  it('denies a call that Claude Code takes back while an approval is open', async () => {
    const { approver, approvalStore } = deskFor('none')
    const { engine, ledger } = world(asks, { approver, approvalStore })
    await session(guardToolCalls(engine), async (claude) => {
      const answer = claude.hook('PreToolUse', call('a'))
      await vi.waitUntil(async () => (await approvalStore.list({ state: 'pending' }, new Date())).length === 1)
      claude.cancelLast()
      await vi.waitUntil(async () => (await story(ledger)).length === 1)
      void answer.catch(() => {})
    })
    expect(await story(ledger)).toEqual(['deny'])
  })

  it.each([
    ['PostToolUse', { tool_response: 'ok' }, 'success', null],
    ['PostToolUseFailure', { error: 'command not found' }, 'error', 'command not found'],
    ['PermissionDenied', { reason: 'a rule' }, 'error', 'Claude Code did not run the tool'],
  ] as const)('%s records how the call ended, once', async (event, facts, status, error) => {
    const { engine, ledger } = world()
    await session(guardToolCalls(engine), async (claude) => {
      await claude.hook('PreToolUse', call('a'))
      await claude.hook(event, { ...call('a'), ...facts })
      await claude.hook(event, { ...call('a'), ...facts })
      await claude.hook(event, { ...call('never seen'), ...facts })
    })
    expect(await story(ledger)).toEqual(['allow', status])
    expect((await entriesOf(ledger)).at(-1)).toMatchObject({ outcome: { error } })
    expect((await verify(ledger.reader())).ok).toBe(true)
  })

  it('holds a bounded number of calls of which nothing more is heard', async () => {
    const { engine, ledger } = world()
    const { hooks } = guardToolCalls(engine)
    const signal = new AbortController().signal
    const at = (event: 'PreToolUse' | 'PostToolUse') => hooks[event]?.[0]?.hooks[0] as HookCallback
    const base = { session_id: 's', transcript_path: '', cwd: '' }
    const pre = (id: string) =>
      at('PreToolUse')({ ...base, hook_event_name: 'PreToolUse', ...call(id) }, id, { signal })
    const post = (id: string) =>
      at('PostToolUse')({ ...base, hook_event_name: 'PostToolUse', ...call(id), tool_response: 1 }, id, { signal })
    for (let n = 0; n <= 1_000; n++) await pre(`call_${n}`)
    await post('call_0')
    await post('call_1000')
    expect(await verify(ledger.reader())).toMatchObject({ ok: true, decisions: 1_001, outcomes: 1 })
    await expect(
      at('PreToolUse')({ ...base, hook_event_name: 'PostToolUse', ...call('x'), tool_response: 1 }, 'x', { signal }),
    ).rejects.toThrow(TypeError)
  })
})
