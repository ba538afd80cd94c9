import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SudoEngine } from '@sudoagent/core'
import { select } from '@sudoagent/ledger'
import { MemoryLedger } from '@sudoagent/ledger/memory'
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest'
import { PolicyFileError } from '../src/error.js'
import { loadPolicy } from '../src/load.js'

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sudoagent-policy-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

let count = 0
function file(extension: string, text: string | Uint8Array): string {
  const path = join(folder, `policy-${count++}${extension}`)
  writeFileSync(path, text)
  return path
}

function folderNamed(name: string): string {
  mkdirSync(join(folder, name))
  return join(folder, name)
}

const codeOf = (path: string): Promise<string> =>
  loadPolicy(path).then(
    () => 'none',
    (error: unknown) => (error instanceof PolicyFileError ? error.code : String(error)),
  )

const RULES = `sudoagent_policy: 1
id: files
version: 2
rules:
  - { id: small, tool: pay, args: { amount: { lte: 10 } }, effect: allow, reason: small }
  - { id: ask, tool: pay, effect: require_approval, reason: large }
`

describe('a file of rules', () => {
  it('is a policy for the engine, and the ledger names the rule', async () => {
    const policy = await loadPolicy(file('.yaml', RULES))
    const ledger = new MemoryLedger()
    const engine = new SudoEngine({ policy, agentId: 'bot', ledger })
    const pay = engine.guard(async function pay({ amount }: { amount: number }) {
      return amount
    })
    expect(await pay({ amount: 3 })).toBe(3)
    await expect(engine.guard(async function other() {})()).rejects.toMatchObject({ code: 'POLICY_NO_RULE' })
    const decisions: unknown[] = []
    for await (const { json } of select(ledger.reader(), { event: 'decision' }))
      decisions.push((JSON.parse(json) as { decision: unknown }).decision)
    expect(decisions).toMatchObject([
      {
        effect: 'allow',
        reason: 'small (rule small)',
        reason_code: 'POLICY_RULE:small',
        policy_id: 'files',
        policy_version: '2',
        policy_hash: policy.policyHash,
      },
      { effect: 'deny', reason_code: 'POLICY_NO_RULE', policy_hash: policy.policyHash },
    ])
  })

  it('follows links on the disk', async () => {
    const root = join(folder, 'root')
    mkdirSync(root)
    symlinkSync('/etc', join(root, 'etc'))
    const rule = {
      id: 'in',
      args: { path: { root, glob: '**', resolve_symlinks: true } },
      effect: 'allow',
      reason: 'r',
    }
    const policy = await loadPolicy(file('.json', JSON.stringify({ sudoagent_policy: 1, id: 'p', rules: [rule] })))
    const decide = (path: string) =>
      policy.evaluate({
        requestId: 'r',
        action: 't',
        agentId: 'a',
        actor: { principal: 'a' },
        args: [],
        kwargs: { path },
        metadata: {},
        concealed: [],
      })
    expect(decide('new/file')).toMatchObject({ decision: 'allow' })
    expect(decide(join(root, 'etc/passwd'))).toMatchObject({ decision: 'deny' })
  })
})

describe('a module', () => {
  it.each([
    ['default', `export default { policyId: 'm', version: '1', evaluate: () => ({ decision: 'allow', reason: 'r' }) }`],
    [
      'policy',
      `export const policy = { policyId: 'm', version: '1', evaluate: () => ({ decision: 'allow', reason: 'r' }) }`,
    ],
    [
      'a class',
      `class C { policyId = 'm'; version = '1'; #d = 'allow'; evaluate() { return { decision: this.#d, reason: 'r' } } }\nexport default new C()`,
    ],
  ])('exports a policy as %s', async (_, text) => {
    const policy = await loadPolicy(file('.mjs', text))
    expect(policy).toMatchObject({ kind: 'module', version: '1' })
    expect(policy.policyId).toBe('m')
    const engine = new SudoEngine({ policy, agentId: 'bot', ledger: new MemoryLedger() })
    expect(
      await engine.guard(async function f() {
        return 1
      })(),
    ).toBe(1)
  })

  it.each([
    ['an object', `export default { version: '1', evaluate: () => ({ decision: 'allow', reason: 'r' }) }`],
    ['a class, whose name a minifier changes', `export default new (class Refunds { version = '1'; evaluate() {} })()`],
  ])('needs a `policyId`: %s', async (_, text) => {
    await expect(loadPolicy(file('.mjs', text))).rejects.toThrow(/policyId/)
  })

  it('has another hash when anything in its file changes, and is loaded anew', async () => {
    const path = file(
      '.mjs',
      `const limit = 1\nexport default { policyId: 'm', evaluate: () => ({ decision: 'deny', reason: String(limit) }) }`,
    )
    const before = await loadPolicy(path)
    writeFileSync(
      path,
      `const limit = 2\nexport default { policyId: 'm', evaluate: () => ({ decision: 'deny', reason: String(limit) }) }`,
    )
    const after = await loadPolicy(path)
    expect(after.policyHash).not.toBe(before.policyHash)
    const call = { requestId: 'r', action: 't', agentId: 'a', args: [], kwargs: {}, metadata: {}, concealed: [] }
    const context = { ...call, actor: { principal: 'a' } }
    expect(await after.evaluate(context)).toMatchObject({ reason: '2' })
  })
})

test.each([
  ['no such file', () => join(folder, 'missing.yaml'), 'POLICY_FILE_UNREADABLE'],
  ['no such module', () => join(folder, 'missing.mjs'), 'POLICY_FILE_UNREADABLE'],
  ['a folder', () => folderNamed('folder.yaml'), 'POLICY_FILE_UNREADABLE'],
  ['another kind of file', () => file('.toml', ''), 'POLICY_FILE_KIND_UNKNOWN'],
  ['bytes that are no UTF-8', () => file('.yaml', Buffer.from([0x61, 0xff])), 'POLICY_SYNTAX'],
  ['UTF-16', () => file('.yaml', Buffer.from(RULES, 'utf16le')), 'POLICY_SYNTAX'],
  ['a file that is too large', () => file('.yaml', `#${'x'.repeat(200_000)}`), 'POLICY_LIMIT'],
  ['a module that throws', () => file('.mjs', 'throw new Error("no")'), 'POLICY_MODULE_INVALID'],
  ['a module that throws nothing much', () => file('.mjs', 'throw null'), 'POLICY_MODULE_INVALID'],
  ['a module with a syntax error', () => file('.mjs', 'export default {'), 'POLICY_MODULE_INVALID'],
  ['a module without a policy', () => file('.mjs', 'export default 1'), 'POLICY_MODULE_INVALID'],
  [
    'a module whose policy has no name',
    () => file('.mjs', 'export default { evaluate() {} }'),
    'POLICY_MODULE_INVALID',
  ],
])('%s is refused', async (_, path, code) => {
  expect(await codeOf(path())).toBe(code)
})
