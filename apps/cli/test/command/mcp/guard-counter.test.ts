// Tests `mcp guard --counter`, which detects that the ledger was replaced by an older copy.
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { connect, guardArgs, MEMORY, POLICY } from '../../support/mcp.js'
import { sandbox } from '../../support/sandbox.js'

it('goes on with the ledger that it wrote, and refuses an older copy of it', async () => {
  const box = sandbox()
  writeFileSync(box.path('policy.mjs'), POLICY)
  const ledger = ['ledger.jsonl', 'ledger.jsonl.head', 'ledger.jsonl.tree']
  const options = ['--ledger', 'ledger.jsonl', '--counter', 'counter']
  const use = async (): Promise<void> => {
    const { client } = await connect(box, MEMORY, {
      options: [...options, '--env', `MEMORY_FILE_PATH=${box.path('memory.json')}`],
    })
    expect((await client.callTool({ name: 'read_graph' })).isError).toBeFalsy()
    await client.close()
  }
  await use()
  for (const name of ledger) copyFileSync(box.path(name), box.path(`${name}.old`))
  await use()
  expect(readFileSync(box.path('counter'), 'utf8')).toMatch(/^sudoagent ledger counter v1\n0{16}5 [0-9a-f]{64}\n$/)
  for (const name of ledger) copyFileSync(box.path(`${name}.old`), box.path(name))
  const { code, stdout, stderr } = box.run(guardArgs(options, MEMORY))
  expect([code, stdout]).toEqual([3, ''])
  expect(stderr).toMatch(/error: entry 5 of the ledger does not match the counter `counter`\n.*hint: an older copy/)
})
