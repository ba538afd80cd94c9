import { verify } from '@sudoagent/ledger'
import { MemoryLedger } from '@sudoagent/ledger/memory'
import { describe, expect, it } from 'vitest'
import { promptRows } from '../../src/approval/prompt.js'
import type { CallAuthority, ContextActor } from '../../src/authority/authority.js'
import { runWith } from '../../src/authority/run-with.js'
import { SudoEngine } from '../../src/engine.js'
import { type ApprovalRequest, allow, ask, type Context } from '../../src/index.js'

interface Entry {
  readonly event: string
  readonly authority?: unknown
  readonly metadata?: { readonly call?: unknown }
  readonly decision: { readonly effect?: string; readonly reason_code: string; readonly reason: string }
}

interface Bench {
  readonly sudo: SudoEngine
  readonly ledger: MemoryLedger
  /** `context.actor` of each call. */
  readonly actors: ContextActor[]
  readonly requests: ApprovalRequest[]
  decisions(): Promise<readonly Entry[]>
}

function bench(decide: () => ReturnType<typeof allow> = () => allow('ok')): Bench {
  const ledger = new MemoryLedger()
  const actors: ContextActor[] = []
  const requests: ApprovalRequest[] = []
  const sudo = new SudoEngine({
    agentId: 'bot',
    ledger,
    policy: {
      policyId: 'p',
      version: '1',
      evaluate: ({ actor }: Context) => {
        actors.push(actor)
        return decide()
      },
    },
    approver: {
      approve: async (request) => {
        requests.push(request)
        return true
      },
    },
  })
  const decisions = async (): Promise<readonly Entry[]> => {
    const found: Entry[] = []
    for await (const batch of ledger.reader().batches())
      for (const { bytes } of batch) found.push(JSON.parse(Buffer.from(bytes).toString()) as Entry)
    return found.filter(({ event }) => event === 'decision')
  }
  return { sudo, ledger, actors, requests, decisions }
}

const TRACE = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
const ALL: Required<CallAuthority> = {
  onBehalfOf: { id: 'alice', type: 'service', issuer: 'https://id.example' },
  tenant: 'acme',
  session: 'chat-7',
  delegation: [{ id: 'agent-1' }, { id: 'agent-2', issuer: 'https://id.example' }],
  instance: 'v1.4.2',
  parent: 'r-1',
  trace: TRACE,
}
const RECORDED = {
  on_behalf_of: { id: 'alice', type: 'service', issuer: 'https://id.example', assurance: 'asserted' },
  tenant: 'acme',
  session: 'chat-7',
  delegation: ALL.delegation,
}
const CALL = { instance: 'v1.4.2', parent: 'r-1', trace: TRACE }

describe('the authority of a call', () => {
  it('is recorded, shown to the policy, and verifies', async () => {
    const { sudo, ledger, actors, decisions } = bench()
    await sudo.with(ALL).guard('pay', async () => 'paid')()
    const [entry] = await decisions()
    expect(entry).toMatchObject({ authority: RECORDED, metadata: { call: CALL } })
    expect(actors).toEqual([{ ...ALL, principal: 'bot' }])
    expect(Object.isFrozen(actors[0]?.delegation)).toBe(true)
    expect(await verify(ledger.reader())).toMatchObject({ ok: true })
  })

  it('is left out where there is none', async () => {
    const { sudo, actors, decisions } = bench()
    await sudo.guard('pay', async () => 'paid')()
    const [entry] = await decisions()
    expect(entry).not.toHaveProperty('authority')
    expect(entry?.metadata).not.toHaveProperty('call')
    expect(actors).toEqual([{ principal: 'bot' }])
  })

  it('can be given for a call, a view and a context; the closer one takes precedence, member by member', async () => {
    const { sudo, decisions } = bench()
    const view = sudo.with({ tenant: 'view', session: 'view' }).with({ session: 'view 2' })
    const pay = view.guard('pay', async () => 'paid', { session: 'call' })
    await runWith({ tenant: 'context', onBehalfOf: { id: 'alice' } }, async () => {
      await Promise.resolve()
      await runWith({ delegation: [{ id: 'a' }] }, () => pay())
    })
    await view.authorize({ action: 'pay', onBehalfOf: { id: 'bob' } })
    expect((await decisions()).map(({ authority }) => authority)).toEqual([
      {
        delegation: [{ id: 'a' }],
        on_behalf_of: { assurance: 'asserted', id: 'alice', type: 'user' },
        session: 'call',
        tenant: 'view',
      },
      { on_behalf_of: { assurance: 'asserted', id: 'bob', type: 'user' }, session: 'view 2', tenant: 'view' },
    ])
  })

  it('does not leak from one context into another', async () => {
    const { sudo, decisions } = bench()
    const pay = sudo.guard('pay', async () => 'paid')
    await Promise.all(['a', 'b', 'c'].map((session) => runWith({ session }, () => pay())))
    await pay()
    const sessions = (await decisions()).map(({ authority }) => (authority as { session?: string })?.session)
    expect(sessions.sort()).toEqual(['a', 'b', 'c', undefined])
  })

  it('is in NFC, for the policy and in the record', async () => {
    const { sudo, actors, decisions } = bench()
    await sudo.guard('pay', async () => 'paid', { session: 'cafe\u0301' })()
    expect(actors[0]?.session).toBe('caf\u00e9')
    expect((await decisions())[0]?.authority).toEqual({ session: 'caf\u00e9' })
  })

  it('is shown to the approver', async () => {
    const { sudo, requests } = bench(() => ask('look'))
    await sudo.guard('pay', async () => 'paid', ALL)()
    expect(requests[0]?.authority).toEqual(RECORDED)
    const rows = promptRows(requests[0] as ApprovalRequest, new Date(), 100).join('\n')
    expect(rows).toContain('for        service alice (issuer https://id.example), asserted')
    expect(rows).toContain('through    agent-1\n             agent-2 (issuer https://id.example)')
    expect(rows).toContain('tenant     acme')
    expect(rows).toContain('session    chat-7')
  })
})

describe('an authority that cannot be recorded denies the call, on record, and nothing runs', () => {
  const big = 'x'.repeat(257)
  it.each<[string, object, RegExp]>([
    ['an empty session', { session: '' }, /authority\.session/],
    ['a long tenant', { tenant: big }, /authority\.tenant/],
    ['a session that is not a text', { session: 7 }, /authority\.session/],
    ['a line feed in an id', { onBehalfOf: { id: 'a\nb' } }, /authority\.on_behalf_of\.id/],
    ['a subject that is a text', { onBehalfOf: 'alice' }, /authority\.on_behalf_of/],
    ['a subject with another member', { onBehalfOf: { id: 'a', role: 'admin' } }, /authority\.on_behalf_of\.role/],
    ['a subject that says it is verified', { onBehalfOf: { id: 'a', assurance: 'verified' } }, /verified/],
    ['evidence', { onBehalfOf: { id: 'a', evidence: { kind: 'jwt' } } }, /verified/],
    ['nine delegates', { delegation: Array.from({ length: 9 }, () => ({ id: 'a' })) }, /authority\.delegation/],
    ['a cookie as session', { session: 'connect.sid=s%3AZ9fjK2mQ8xLr4Tn7VbYw1pHdEuGc5RsA.kq3' }, /secret/],
    ['a token as session', { session: 'ghp_16C7e42F292c6912E7710c838347Ae178B4a' }, /secret/],
    ['a trace of another form', { trace: 'abc' }, /traceparent/],
    ['a trace of zeros', { trace: `00-${'0'.repeat(32)}-00f067aa0ba902b7-01` }, /traceparent/],
    ['a parent that is too long', { parent: 'x'.repeat(129) }, /parent/],
    ['an instance with an escape', { instance: '\u001b[2J' }, /instance/],
    ['metadata under the name of ours', { metadata: { call: { parent: 'r-0' } } }, /metadata\.call/],
    ['metadata of a gateway', { metadata: { gateway: { client: 'c' } } }, /metadata\.gateway/],
    ['a function', { session: () => 'x' }, /authority/],
    [
      'a cycle',
      {
        delegation: (() => {
          const a: unknown[] = []
          a.push(a)
          return a
        })(),
      },
      /./,
    ],
  ])('%s', async (_, options, says) => {
    const { sudo, ledger, actors, decisions } = bench()
    let ran = false
    const pay = sudo.guard(
      'pay',
      async () => {
        ran = true
      },
      options as CallAuthority,
    )
    await expect(pay()).rejects.toMatchObject({ code: 'AUTHORITY_INVALID', reason: expect.stringMatching(says) })
    expect({ ran, actors }).toEqual({ ran: false, actors: [] })
    const [entry] = await decisions()
    expect(entry?.decision).toMatchObject({ effect: 'deny', reason_code: 'AUTHORITY_INVALID' })
    expect(JSON.stringify(entry)).not.toContain('Z9fjK2mQ8')
    expect(entry).not.toHaveProperty('authority')
    expect(await verify(ledger.reader())).toMatchObject({ ok: true })
  })

  it('is read once: a value that changes between two looks is not trusted', async () => {
    let looks = 0
    const onBehalfOf = {
      get id() {
        looks += 1
        return looks === 1 ? 'alice' : 'root'
      },
    }
    const { sudo, decisions, actors } = bench()
    await sudo
      .guard('pay', async () => 'paid', { onBehalfOf })()
      .catch(() => {})
    const [entry] = await decisions()
    expect(JSON.stringify([entry, actors])).not.toContain('root')
  })

  it('an unknown member is a mistake in the program', () => {
    const { sudo } = bench()
    expect(() => sudo.with({ tennant: 'acme' } as CallAuthority)).toThrow(/tennant.*tenant/)
    expect(() => runWith({ tennant: 'acme' } as CallAuthority, () => {})).toThrow(/tennant.*tenant/)
  })
})
