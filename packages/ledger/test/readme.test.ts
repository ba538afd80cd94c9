// Runs the code of the README in order, and compares its output with the README.
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { testKey } from './fixtures/draft.js'
import { run } from './fixtures/process/child.js'
import { temporaryFolder } from './fixtures/temporary.js'

it('the code in README.md works', async () => {
  const folder = temporaryFolder()
  // The folder in which Node finds the imported packages.
  const packages = join(import.meta.dirname, '../..')
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}')
  writeFileSync(join(folder, 'ledger.key.pem'), testKey(1).pem)
  writeFileSync(join(folder, 'ledger.pub.pem'), testKey(1).publicKey.pem)
  mkdirSync(join(folder, 'node_modules/@sudoagent'), { recursive: true })
  for (const name of ['crypto', 'ledger'])
    symlinkSync(join(packages, name), join(folder, 'node_modules/@sudoagent', name))

  const readme = readFileSync(join(packages, 'ledger/README.md'), 'utf8')
  const [verifyCode, appendCode, findCode] = [...readme.matchAll(/```js\n([\s\S]*?)```/g)].map(([, code]) => code ?? '')
  const outputs = []
  for (const [n, code] of [appendCode, verifyCode, findCode].entries()) {
    const file = join(folder, `step-${n}.mjs`)
    writeFileSync(file, (code ?? '').replaceAll("'ledger.", `'${folder}/ledger.`))
    const { code: status, stdout, stderr } = await run(process.execPath, [file])
    expect([status, stderr]).toEqual([0, ''])
    outputs.push(stdout)
  }
  const [append = '', verify = '', find = ''] = outputs
  expect(append).toBe('2\n')
  expect(verify).toBe('signed 3\n')
  expect(find).toMatch(
    /^2 payments\.refund\nposition,event,[^\n]*\r\n1,checkpoint,[^\n]*\r\n2,decision,[^\n]*\r\n3,outcome,[^\n]*\r\n2 true\n$/,
  )
})
