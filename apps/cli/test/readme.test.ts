// Executes the README. Its commands must exit with the shown code and print the shown output, where `…` matches any
// text.
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { generatePrivateKey } from '@sudoagent/crypto'
import { expect, it } from 'vitest'
import { SAMPLE, writeLedger } from './support/ledger.js'
import { BIN, hasProgram, sandbox, skipUnless } from './support/sandbox.js'

const README = readFileSync(new URL('../README.md', import.meta.url), 'utf8')

/** Each command with the output that the README shows: the lines up to the next command or the end of the block. */
const SESSIONS = [...README.matchAll(/```sh\n([\s\S]*?)```/g)].flatMap(([, block = '']) =>
  block
    .split(/^\$ /m)
    .slice(1)
    .map((part) => {
      const [command = '', ...shown] = part.split('\n')
      return { command, shown: shown.join('\n') }
    }),
)

it('finds the commands', () => expect(SESSIONS.length).toBeGreaterThan(8))

const noJq = skipUnless(hasProgram('jq'), 'the README uses jq, which is missing')

it('does what it says', async () => {
  const box = sandbox()
  const key = generatePrivateKey()
  await writeLedger(box.path('ledger.sqlite'), SAMPLE, key)
  await writeLedger(box.path('plain.jsonl'), SAMPLE)
  writeFileSync(box.path('ledger.pub.pem'), key.publicKey.pem)
  writeFileSync(
    box.path('changed.jsonl'),
    readFileSync(box.path('plain.jsonl'), 'utf8').replace('above the', 'below the'),
  )
  mkdirSync(box.path('bin'))
  symlinkSync(BIN, box.path('bin', 'sudoagent'))
  let code: number | null = 0
  for (const { command, shown } of SESSIONS) {
    if (noJq && command.includes('jq')) continue
    const ran = box.shell(`PATH="$PWD/bin:$PATH"; (exit ${code}); { ${command}; } 2>&1`)
    const pattern = shown
      .trimEnd()
      .split('…')
      .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
      .join('[\\s\\S]*')
    expect(ran.stdout.trimEnd(), command).toMatch(new RegExp(`^${pattern}$`))
    code = ran.code
    // Unless the README shows the exit code with `echo $?`, the command must succeed.
    if (!README.includes(`$ ${command}\n${shown}$ echo $?`)) expect(code, command).toBe(0)
  }
})
