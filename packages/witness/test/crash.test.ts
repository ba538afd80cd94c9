// Kills real processes after they store a checkpoint and before they answer.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createCosigner, encodeVkey } from '@sudoagent/crypto/note'
import { expect, onTestFinished, test } from 'vitest'
import { cosign } from '../src/client.js'
import { codeOf } from './fixtures/errors.js'
import { signerOf, TestLog } from './fixtures/log.js'
import { temporaryFolder } from './fixtures/temporary.js'

const log = new TestLog()
const fork = new TestLog({ forkAt: 3 })
const { key } = createCosigner('witness.example/w1', signerOf(4), () => 0)

interface Running {
  readonly url: string
  readonly child: ChildProcess
}

/** Starts a witness. The script imports the built package by name, as users do. */
async function start(path: string, ...mode: readonly string[]): Promise<Running> {
  const script = join(import.meta.dirname, 'fixtures/serve.mjs')
  const child = spawn(process.execPath, [script, path, encodeVkey(log.key), ...mode], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  const [line] = (await once(child.stdout, 'data')) as [Buffer]
  return { url: line.toString().trim(), child }
}

async function kill(child: ChildProcess): Promise<void> {
  const exited = once(child, 'exit')
  child.kill('SIGKILL')
  await exited
}

const post = async (url: string, body: Uint8Array): Promise<Response> =>
  fetch(`${url}/add-checkpoint`, { method: 'POST', body })

test('kill -9 before the answer: the record stands, and the log gets its cosignature later', async () => {
  const path = join(temporaryFolder(), 'witness.sqlite')
  for (const [from, to] of [
    [0, 5],
    [5, 9],
  ] as const) {
    const doomed = await start(path, 'die')
    const exited = once(doomed.child, 'exit')
    await expect(post(doomed.url, await log.request(from, to))).rejects.toThrow('fetch failed')
    expect(await exited).toEqual([null, 'SIGKILL'])

    const { url, child } = await start(path)
    const again = await post(url, await log.request(from, to))
    expect([again.status, await again.text()]).toEqual([409, `${to}\n`])
    // The response to the request was lost, but the witness stored the checkpoint and must refuse a fork of the same
    // size.
    const checkpoint = await fork.checkpoint(to)
    const forked = cosign({ url, witness: key, checkpoint, proveConsistency: fork.prove })
    expect(await codeOf(() => forked)).toBe('WITNESS_CONFLICT')
    const late = { url, witness: key, checkpoint: await log.checkpoint(to), proveConsistency: log.prove }
    expect((await cosign({ ...late, oldSize: from })).note).toContain('— witness.example/w1 ')
    await kill(child)
  }
})

test('two processes on one file: of two histories at once, one is cosigned', async () => {
  const path = join(temporaryFolder(), 'witness.sqlite')
  const [a, b] = await Promise.all([start(path), start(path)])
  expect((await post(a.url, await log.request(0, 3))).status).toBe(200)
  const requests = [await log.request(3, 7), await fork.request(3, 7)]
  for (let i = 0; i < 5; i++) {
    const [one, two] = await Promise.all(
      requests.map((request, n) => post(n === 0 ? a.url : b.url, request).then(({ status }) => status)),
    )
    // In later rounds, the checkpoint is already stored, so both requests fail.
    expect([one, two].sort()).toEqual(i === 0 ? [200, 409] : [409, 409])
  }
})
