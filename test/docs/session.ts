// Runs the `sh` blocks of a page in order, as a reader would type them, and compares the output with the page.
//
// In a block with `$ `, the lines that start with `$ ` are commands, and the lines after a command are its output
// (stdout and stderr, as in a terminal). If no output is shown for a command, its output is not compared. In a block
// without `$ `, every line is a command. In expected output, `…` matches any text within a line, and a line with only
// `…` matches any number of lines.
import { spawn } from 'node:child_process'
import type { Block } from './markdown.js'

export interface Command {
  readonly text: string
  /** Null if the page does not show the output. */
  readonly output: string | null
  readonly exitCode: number
}

const MARK = '\u0001docs-test'
/**
 * Time limit of a block in milliseconds, so that a hanging command does not block the suite. A block takes one or two
 * seconds, or much longer on a busy machine.
 */
const BLOCK_MS_MAX = 170_000

export function commandsOf({ text, directive }: Block): readonly Command[] {
  const codes =
    /^exit ([\d ]+)$/
      .exec(directive ?? '')?.[1]
      ?.split(' ')
      .map(Number) ?? []
  const lines = text.split('\n')
  const prompted = lines.some((line) => line.startsWith('$ '))
  const commands: { text: string; output: string[] }[] = []
  let open = false
  for (const line of lines) {
    const last = commands.at(-1)
    if (open && last !== undefined) last.text += `\n${line.replace(/^> /, '')}`
    else if (!prompted && line.trim() !== '' && !line.startsWith('#')) commands.push({ text: line, output: [] })
    else if (line.startsWith('$ ')) commands.push({ text: line.slice(2), output: [] })
    else if (prompted && last !== undefined) last.output.push(line)
    open = line.endsWith('\\')
  }
  const said = commands.map(({ output }) => output.join('\n').trimEnd())
  return commands.map(({ text: command }, index) => {
    // If the page runs `echo $?` next, the output of `echo` is the expected exit code.
    const shown = commands[index + 1]?.text === 'echo $?' ? Number(said[index + 1]) : 0
    return { text: command, output: said[index] || null, exitCode: codes[index] ?? shown }
  })
}

export interface Ran {
  readonly output: string
  readonly exitCode: number
}

/** Runs commands in one shell, so that variables and `$?` persist. Stdin is empty, and there is no terminal. */
export async function runCommands(
  commands: readonly Command[],
  cwd: string,
  env: NodeJS.ProcessEnv,
): Promise<readonly Ran[]> {
  const script = commands
    .map(({ text }) => `${text}\n{ code=$?; printf '${MARK} %s\\n' "$code"; (exit $code); }`)
    .join('\n')
  const output = await shell(`exec 2>&1\n${script}`, cwd, env)
  const parts = output.split(MARK)
  return commands.map((_, index) => ({
    // After a command's mark, the text contains the exit code, a line feed, and the next command's output.
    output: (parts[index] ?? '').replace(index === 0 ? '' : /^ \d+\n/, ''),
    exitCode: Number(/^ (\d+)/.exec(parts[index + 1] ?? '')?.[1] ?? Number.NaN),
  }))
}

function shell(script: string, cwd: string, env: NodeJS.ProcessEnv): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn('bash', ['-c', script], {
      cwd,
      env,
      stdio: ['ignore', 'pipe', 'inherit'],
      timeout: BLOCK_MS_MAX,
    })
    const chunks: Buffer[] = []
    child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk))
    child.on('error', reject)
    child.on('close', () => resolve(Buffer.concat(chunks).toString('utf8')))
  })
}

/** Returns whether the output matches the page. In the expected text, `…` matches text that differs from run to run. */
export function outputFits(expected: string, actual: string): boolean {
  const rows = expected.split('\n').map((row) => (row.trim() === '…' ? null : patternOf(row.trimEnd())))
  const source = rows.map((row) => (row === null ? String.raw`(?:[^\n]*\n)*?` : `${row} *\n`)).join('')
  return new RegExp(`^${source}$`, 'u').test(`${actual.trimEnd()}\n`)
}

function patternOf(row: string): string {
  return row
    .split('…')
    .map((part) => part.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&'))
    .join('[^\\n]*')
}
