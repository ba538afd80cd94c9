// Tests `--commitment-key`, from the client's call to the comparison with what the client sent and got.
import { writeFileSync } from 'node:fs'
import { beforeEach, describe, expect, it } from 'vitest'
import { connect, EVERYTHING, guardArgs, POLICY, textOf } from '../../support/mcp.js'
import { type Sandbox, sandbox } from '../../support/sandbox.js'

let box: Sandbox
beforeEach(() => {
  box = sandbox()
  writeFileSync(box.path('policy.mjs'), POLICY)
})

describe('--commitment-key', () => {
  it('binds the arguments before redaction, and the result', async () => {
    expect(box.shell('umask 077 && head -c 32 /dev/urandom > commitment.key').code).toBe(0)
    const options = ['--commitment-key', 'commitment.key', '--on-concealed', 'allow']
    const { client } = await connect(box, EVERYTHING, { options })
    const message = 'token=ghp_0123456789abcdefghijABCDEFGHIJ012345'
    const result = await client.callTool({ name: 'echo', arguments: { message } })
    expect(textOf(result)).toBe(`Echo: ${message}`)
    await client.close()
    writeFileSync(box.path('parameters.json'), JSON.stringify({ args: [], kwargs: { message } }))
    writeFileSync(box.path('result.json'), JSON.stringify(result))
    const compare = (kind: string, file: string) =>
      box.run(['show', 'ledger.sqlite', '2', '--commitment-key', 'commitment.key', `--${kind}`, file]).code
    expect(box.run(['show', 'ledger.sqlite', '2']).stdout).not.toContain('ghp_0123')
    expect(compare('parameters', 'parameters.json')).toBe(0)
    expect(compare('result', 'result.json')).toBe(0)
    expect(compare('result', 'parameters.json')).toBe(1)
    expect(box.run(['verify', 'ledger.sqlite']).code).toBe(0)
  })

  it.skipIf(process.platform === 'win32')(
    'refuses a key that other users can read, before the ledger is created',
    () => {
      writeFileSync(box.path('open.key'), new Uint8Array(32), { mode: 0o644 })
      const { code, stderr } = box.run(guardArgs(['--commitment-key', 'open.key'], EVERYTHING))
      expect(code).toBe(3)
      expect(stderr).toContain('hint: run `chmod 600` on the file')
      expect(box.files()).toEqual(['open.key', 'policy.mjs'])
    },
  )
})
