// Simulates a person at a pseudo-terminal who reads each question before typing an answer.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { BIN, type Sandbox } from './sandbox.js'

/** Time limit in milliseconds, longer than any command takes on a busy machine. */
const TIMEOUT_MS = 20_000

export interface Step {
  /** The output to wait for. Only output after the previous step counts. */
  readonly sees: string
  /** The text to type, or a function to run. */
  readonly types: string | Buffer | (() => void)
}

/**
 * Runs a shell command line on a terminal, in which `$S` is `sudoagent`. @returns everything that the terminal showed
 */
export async function typeInto(box: Sandbox, line: string, steps: readonly Step[]): Promise<string> {
  const child = spawn('script', ['-qec', `S='${process.execPath} ${BIN}'; ${line}`, '/dev/null'], {
    cwd: box.folder,
    env: { PATH: process.env.PATH, LANG: 'C.UTF-8', TERM: 'dumb', SHELL: '/bin/bash' },
    timeout: TIMEOUT_MS,
  })
  let shown = ''
  let seen = 0
  let next = 0
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    shown += text
    const step = steps[next]
    if (step === undefined || !shown.slice(seen).includes(step.sees)) return
    next += 1
    seen = shown.length
    if (typeof step.types === 'function') step.types()
    else child.stdin.write(step.types)
  })
  child.stdin.on('error', () => {})
  await once(child, 'close')
  if (next < steps.length) throw new Error(`never saw “${steps[next]?.sees}” in: ${shown}`)
  return shown.replaceAll('\r\n', '\n')
}
