// Runs a witness as its operator does: in a separate process, on the loopback interface.
import type { ChildProcess } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import { generatePrivateKey, type PrivateKey } from '@sudoagent/crypto'
import { createNoteKey, encodeVkey } from '@sudoagent/crypto/note'
import { onTestFinished } from 'vitest'
import type { Ran, Sandbox } from './sandbox.js'

export interface RunningWitness {
  readonly vkey: string
  readonly url: string
  readonly child: ChildProcess
  /** The witness's stderr so far. */
  said(): string
}

/** Writes `logs.txt`, a witness policy for this ledger. */
export function writeLogs(box: Sandbox, ledger: string, key: PrivateKey): void {
  const [origin = ''] = box.run(['checkpoint', ledger]).stdout.split('\n')
  writeFileSync(box.path('logs.txt'), `log ${encodeVkey(createNoteKey(origin, key.publicKey))}\nquorum none\n`)
}

/**
 * Starts the witness `name` for the logs in `logs.txt`. Its key is in `<name>.pem`, which is created if missing. The
 * witness exits when the test ends.
 */
export async function startWitness(
  box: Sandbox,
  name: string,
  options: readonly string[] = ['--name', `${name}.example.com`],
  env: Readonly<Record<string, string>> = {},
): Promise<RunningWitness> {
  const pem = box.path(`${name}.pem`)
  if (!existsSync(pem)) writeFileSync(pem, generatePrivateKey().pem, { mode: 0o600 })
  const args = ['--key', `${name}.pem`, '--policy', 'logs.txt', '--store', `${name}.sqlite`, ...options]
  const child = box.start(['witness', 'serve', ...args], env)
  onTestFinished(() => {
    if (child.exitCode === null) child.kill('SIGKILL')
  })
  let stderr = ''
  child.stderr.on('data', (chunk) => {
    stderr += chunk
  })
  let stdout = ''
  // The code does not use `for await`, which would close the stream at the end of the loop.
  return new Promise((resolve, reject) => {
    child.stdout.on('data', (chunk) => {
      stdout += chunk
      const [, vkey, url] = /^vkey +(\S+)\nurl +(\S+)\n/.exec(stdout) ?? []
      if (vkey !== undefined && url !== undefined) resolve({ vkey, url, child, said: () => stderr })
    })
    child.once('exit', (code) => reject(new Error(`the witness exited with ${code}: ${stderr}`)))
  })
}

/** Asks witnesses, in this order, to cosign a ledger. */
export function cosign(
  box: Sandbox,
  ledger: string,
  asked: readonly Pick<RunningWitness, 'vkey' | 'url'>[],
  options: readonly string[] = [],
): Ran {
  const pairs = asked.flatMap(({ vkey, url }) => ['--witness', vkey, '--url', url])
  return box.run(['checkpoint', 'cosign', ledger, ...pairs, ...options])
}
