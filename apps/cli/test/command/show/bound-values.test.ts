// Tests the comparison of values with the commitments of a call.
import { createHash } from 'node:crypto'
import { chmodSync, writeFileSync } from 'node:fs'
import { allow, ask, SudoEngine } from '@sudoagent/core'
import { SqliteLedger } from '@sudoagent/ledger/sqlite'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Sandbox } from '../../support/sandbox.js'

const box = new Sandbox()
const KEY = Uint8Array.from({ length: 32 }, (_, n) => n)
const OTHER_KEY = new Uint8Array(33)
const idOf = (key: Uint8Array): string => createHash('sha256').update(key).digest('hex').slice(0, 16)
const files: Record<string, string> = {
  'parameters.json': ' {"kwargs": {"password": "hunter2hunter2", "n": 1.50}, "args": []}\n',
  'others.json': '{"args":[],"kwargs":{"n":1.5,"password":"hunter3hunter3"}}',
  'wide.json': '{"args":[],"kwargs":{"n":9007199254740993}}',
  'result.json': '{ "ok": true, "n": 1e0 }',
  'exact.json': '{"n":9007199254740993}\n',
  'rounded.json': '{"n":9007199254740992}',
  'twice.json': '{"args":[],"args":[],"kwargs":{}}',
  'list.json': '[]',
  'more.json': '{"args":[],"kwargs":{},"more":1}',
}

beforeAll(async () => {
  for (const [name, text] of Object.entries(files)) writeFileSync(box.path(name), text)
  for (const [name, key, mode] of [
    ['right.key', KEY, 0o600],
    ['other.key', OTHER_KEY, 0o600],
    ['open.key', KEY, 0o644],
    ['short.key', KEY.subarray(1), 0o600],
  ] as const) {
    writeFileSync(box.path(name), key)
    chmodSync(box.path(name), mode)
  }
  const ledger = SqliteLedger.open(box.path('l.sqlite'))
  const policy = {
    policyId: 'p',
    version: '1',
    evaluate: ({ action }: { action: string }) => (action === 'ask' ? ask('why') : allow('fine')),
  }
  let hasAsked = (): void => {}
  const wasAsked = new Promise<void>((resolve) => {
    hasAsked = resolve
  })
  const approve = (): Promise<never> => {
    hasAsked()
    return new Promise(() => {})
  }
  const engine = new SudoEngine({ policy, agentId: 'bot', ledger, commitmentKey: KEY, approver: { approve } })
  const call = async (requestId: string, args: unknown[], resultText?: string): Promise<void> => {
    const authorization = await engine.authorize({ action: 'tool', args, requestId })
    if (authorization.status !== 'allowed' || resultText === undefined) return
    await engine.record(authorization, { status: 'success', resultText: () => resultText })
  }
  await call('bound', [{ n: 1.5, password: 'hunter2hunter2' }], '{"n":1.0,"ok":true}')
  await call('exact', [1n], '{"n":9007199254740993}')
  await call('running', [])
  const controller = new AbortController()
  const args = [{ n: 1.5, password: 'hunter2hunter2' }]
  const asked = engine.authorize({ action: 'ask', args, requestId: 'asked', signal: controller.signal })
  await wasAsked
  // Nothing is recorded after the question.
  await ledger.close()
  controller.abort()
  await asked
})
afterAll(() => box.remove())

const show = (call: string, ...options: readonly string[]) => box.run(['show', 'l.sqlite', call, ...options])
const compare = (call: string, kind: string, file: string, key = 'right.key') => {
  const { code, stdout, stderr } = show(call, '--commitment-key', key, `--${kind}`, file, '--format', 'text')
  return { code, says: stdout + stderr }
}

describe('a comparison', () => {
  it.each([
    ['bound', 'parameters', 'parameters.json', 0, 'matches: entry 2 is bound to these parameters\n'],
    ['3', 'parameters', 'parameters.json', 0, 'matches: entry 2 is bound to these parameters\n'],
    ['bound', 'parameters', 'others.json', 1, 'differs: entry 2 is not bound to these parameters\n'],
    ['bound', 'parameters', 'wide.json', 1, 'differs: entry 2 is not bound to these parameters\n'],
    ['bound', 'result', 'result.json', 0, 'matches: entry 3 is bound to this result\n'],
    ['bound', 'result', 'others.json', 1, 'differs: entry 3 is not bound to this result\n'],
    ['bound', 'result', 'exact.json', 1, 'differs: entry 3 is not bound to this result\n'],
    ['exact', 'result', 'exact.json', 0, 'matches: entry 5 is bound to this result\n'],
    ['exact', 'result', 'rounded.json', 1, 'differs: entry 5 is not bound to this result\n'],
    ['asked', 'parameters', 'parameters.json', 0, 'matches: entry 7 is bound to these parameters\n'],
    ['running', 'result', 'result.json', 1, 'no commitment: the call has no outcome\n'],
  ])('of %s, with %s from %s', (call, kind, file, code, says) => {
    expect(compare(call, kind, file)).toEqual({ code, says })
  })

  it('with an entry without a commitment says why there may be none', () => {
    expect(compare('exact', 'parameters', 'parameters.json')).toEqual({
      code: 1,
      says: expect.stringMatching(/^no commitment: entry 4 is not bound to parameters; .*without a key/),
    })
  })

  it('with another key names both keys', () => {
    for (const [kind, position] of [
      ['parameters', 2],
      ['result', 3],
    ] as const)
      expect(compare('bound', kind, 'parameters.json', 'other.key')).toEqual({
        code: 1,
        says: `wrong key: entry ${position} was committed with key ${idOf(KEY)}, \`other.key\` has key ${idOf(OTHER_KEY)}\n`,
      })
  })

  it('reads standard input, and prints JSON', () => {
    const line = `printf '{"ok":true,"n":1}' | $S show l.sqlite bound --commitment-key right.key --result - --json`
    const { code, stdout } = box.shell(line)
    expect({ code, ...JSON.parse(stdout) }).toEqual({
      code: 0,
      request_id: 'bound',
      compared: 'result',
      verdict: 'matches',
      position: 3,
      key_id: idOf(KEY),
      file_key_id: idOf(KEY),
    })
    const none = show('running', '--commitment-key', 'other.key', '--result', 'result.json')
    expect({ code: none.code, ...JSON.parse(none.stdout) }).toMatchObject({
      code: 1,
      verdict: 'no_commitment',
      position: null,
      key_id: null,
    })
  })
})

describe('what cannot be compared', () => {
  it.each([
    [2, 'needs values to compare', ['--commitment-key', 'right.key']],
    [2, 'needs a key', ['--parameters', 'parameters.json']],
    [2, 'needs a key', ['--result', 'result.json']],
    [2, 'cannot be used with', ['--commitment-key', 'right.key', '--parameters', 'list.json', '--result', 'list.json']],
    [3, 'cannot be read: no such file', ['--commitment-key', 'none.key', '--result', 'result.json']],
    [3, 'cannot be read: no such file', ['--commitment-key', 'right.key', '--result', 'none.json']],
    [3, 'has fewer than 32 bytes', ['--commitment-key', 'short.key', '--result', 'result.json']],
    [3, 'is not strict JSON: duplicate key', ['--commitment-key', 'right.key', '--parameters', 'twice.json']],
    [3, 'the form is {"args":[…],"kwargs":{…}}', ['--commitment-key', 'right.key', '--parameters', 'list.json']],
    [3, 'the form is {"args":[…],"kwargs":{…}}', ['--commitment-key', 'right.key', '--parameters', 'more.json']],
  ])('exits with %i: %s', (code, says, options) => {
    const ran = show('bound', ...options)
    expect({ code: ran.code, stdout: ran.stdout }).toEqual({ code, stdout: '' })
    expect(ran.stderr).toContain(says)
  })

  it('is an entry that does not belong to a call', () => {
    const ran = show('1', '--commitment-key', 'right.key', '--result', 'result.json')
    expect(ran).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining('entry 1 does not belong') })
  })

  it.skipIf(process.platform === 'win32')('is a key that other users can read', () => {
    const ran = show('bound', '--commitment-key', 'open.key', '--result', 'result.json')
    expect(ran.code).toBe(3)
    expect(ran.stderr).toContain('gives other users access (mode 0644)')
    expect(ran.stderr).toContain('hint: run `chmod 600` on the file')
  })
})
