// Tests the parts that only bundling (`build.mjs`) can break: files that the program opens by path, and third-party
// licences.
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { describe, expect, it } from 'vitest'
import { manyCalls, writeLedger } from './support/ledger.js'
import { sandbox } from './support/sandbox.js'

const dist = fileURLToPath(new URL('../dist', import.meta.url))
const read = (name: string): string => readFileSync(join(dist, name), 'utf8')
const chunks = readdirSync(dist).filter((name) => name.endsWith('.cjs'))

describe('the bundle', () => {
  it.each(['jsonl', 'sqlite'] as const)(
    'has the threads that help to verify where they are looked for: %s',
    async (kind) => {
      // `verify` starts these threads only for ledgers with tens of thousands of entries. If they fail, `verify` still
      // works, so this test starts a thread itself.
      const [place = 'nowhere'] = chunks.flatMap((name) => /new URL\("(.*\/worker\.js)"/.exec(read(name))?.[1] ?? [])
      const path = sandbox().path(`l.${kind}`)
      await writeLedger(path, manyCalls(20))
      // Workers do not check the genesis entry, so the range starts after that entry.
      const start = kind === 'jsonl' ? readFileSync(path).indexOf(10) + 1 : 1
      const end = kind === 'jsonl' ? statSync(path).size : 41
      const source = kind === 'jsonl' ? { kind, path, end } : { kind, path, readonly: false }
      const worker = new Worker(join(dist, place), { workerData: { source, keys: null } })
      try {
        const answer = new Promise((resolve, reject) => worker.on('message', resolve).on('error', reject))
        worker.postMessage({ from: start, to: end, listsAllowed: false })
        expect(await answer).toMatchObject({ lines: 40 })
      } finally {
        await worker.terminate()
      }
    },
  )

  it('is strict, as the modules in it were', () => {
    expect(chunks.length).toBeGreaterThan(20)
    for (const name of chunks) expect(read(name).startsWith('"use strict";'), name).toBe(true)
  })

  it('has the licences of what is in it', () => {
    const licences = read('THIRD-PARTY-LICENSES.txt')
    const others = chunks.flatMap((name) =>
      [...read(name).matchAll(/^\/\/ .*\/node_modules\/((?:@[^/\n]+\/)?[^/\n]+)\//gm)].map(([, other]) => other),
    )
    expect([...new Set(others)].sort()).toEqual(['@noble/ed25519', '@noble/hashes', 'commander'])
    for (const other of others) expect(licences).toMatch(new RegExp(`^${other} \\d+\\.\\d+\\.\\d+\\n\\n.*MIT`, 'm'))
  })
})
