// Tests names that contain a secret. The engine records and hashes names unchanged, so it refuses such a name. The
// engine redacts only the names that third-party code sets: approver names and error types.
import { describe, expect, it } from 'vitest'
import { PolicyError } from '../../src/error.js'
import { ALLOW, ASK, boundary, rejection } from '../fixtures/boundary.js'

const SECRETS: readonly string[] = [
  'ghp_abc123def456',
  'read?token=hunter22',
  'https://u:hunter22@host/',
  'x\\nAKIAIOSFODNN7EXAMPLE',
  'Bearer abc123def',
]

describe('a secret in a name', () => {
  it.each(SECRETS)('%j as action is refused, and nothing runs or is recorded', async (action) => {
    const b = boundary(ALLOW)
    const error = await rejection(b.engine.authorize({ action, args: [{}] }))
    expect(error).toBeInstanceOf(TypeError)
    expect(String(error)).not.toMatch(/hunter22|ghp_|AKIA|abc123/)
    expect(await b.entries()).toEqual([])
  })

  it.each(SECRETS)('%j as agent is refused when the engine is made', (agentId) => {
    expect(() => boundary(ALLOW, { agentId })).toThrow(/`agentId` seems to contain a secret/)
  })

  it.each(SECRETS)('%j as a reason code makes the policy fail', async (reasonCode) => {
    const b = boundary({ ...ALLOW, reasonCode })
    expect(await rejection(b.tool({}))).toBeInstanceOf(PolicyError)
    expect(b.tool.received).toEqual([])
    expect(JSON.stringify(await b.entries())).not.toContain(JSON.stringify(reasonCode).slice(1, -1))
  })

  it.each(SECRETS)('%j in the name of an approver is taken away', async (approverId) => {
    for (const approved of [true, false]) {
      const b = boundary(ASK, { approver: { approve: async () => ({ approved, approverId }) } })
      await b.tool({}).catch(() => {})
      const text = JSON.stringify(await b.entries())
      expect(text).toContain('[redacted]')
      expect(text).not.toContain(JSON.stringify(approverId).slice(1, -1))
    }
  })

  it('in the type of an error is taken away', async () => {
    const b = boundary(ALLOW)
    const error = Object.assign(new Error('failed'), { name: 'ghp_abc123def456' })
    const authorization = await b.engine.authorize({ action: 'a', args: [] })
    if (authorization.status === 'allowed') await b.engine.record(authorization, { status: 'error', error })
    expect(JSON.stringify(await b.entries())).not.toContain('ghp_')
    expect((await b.entries())[1]?.outcome).toMatchObject({ error_type: 'Error' })
  })

  it('that only looks like one stays', async () => {
    for (const action of ['files/read_token', 'reset-password', 'auth.login', 'get_session', 'pay=1']) {
      await boundary(ALLOW).engine.authorize({ action, args: [] })
    }
  })
})

describe('the option `keep`', () => {
  it('shows what stands at a place, from the engine to the ledger', async () => {
    const args = {
      session: { cmd: 'a b' },
      items: [{ token: 'x y' }, { token: 'z z' }],
      auth: { method: 'p q', token: 'abc12' },
    }
    const b = boundary(ALLOW, { redaction: { keep: ['session', 'items.*.token', 'auth.method'] } })
    await b.tool(args)
    const kwargs = (await b.entries())[0]?.parameters?.kwargs
    expect(kwargs).toEqual({ ...args, auth: { method: 'p q', token: '[redacted]' } })
  })

  it('counts for positional arguments, and nowhere else', async () => {
    const b = boundary(ALLOW, { onConcealed: 'allow', redaction: { keep: ['0.password'] } })
    await b.tool({ password: 'a b' }, { password: 'c d' })
    expect((await b.entries())[0]?.parameters?.args).toEqual([{ password: 'a b' }, { password: '[redacted]' }])
  })

  it.each([['*'], [''], ['a..b'], [7]])('%j is no path', (path) => {
    expect(() => boundary(ALLOW, { redaction: { keep: [path as string] } })).toThrow(/`keep`/)
  })
})
