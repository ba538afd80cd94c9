// Runs the real program in a separate folder, as a shell would.
import { spawn, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'

export const BIN = fileURLToPath(new URL('../../bin/sudoagent.cjs', import.meta.url))

/**
 * Time limit of a command in milliseconds, longer than any command takes on a busy machine. With the limit, a hanging
 * command fails its test instead of blocking the run.
 */
const TIMEOUT_MS = 20_000

export interface Ran {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>
  /** The user and group ID of the process. */
  readonly uid?: number
  /** The Node binary and its options. Default: the binary that runs the tests. */
  readonly node?: readonly string[]
}

/** Runs `sudoagent` in a temporary folder, which is removed after the test. */
export class Sandbox {
  readonly folder: string

  constructor() {
    this.folder = mkdtempSync(join(tmpdir(), 'sudoagent-cli-'))
  }

  path(...names: string[]): string {
    return join(this.folder, ...names)
  }

  makeFolder(name: string): string {
    mkdirSync(this.path(name))
    return this.path(name)
  }

  /** Lists the names in a folder, including hidden names, so that temporary files are found. */
  files(folder = '.'): readonly string[] {
    return readdirSync(this.path(folder)).sort()
  }

  /** Runs `sudoagent` with these arguments. */
  run(args: readonly string[], { env = {}, uid, node = [process.execPath] }: RunOptions = {}): Ran {
    const [command = '', ...flags] = node
    const { status, stdout, stderr } = spawnSync(command, [...flags, BIN, ...args], {
      cwd: this.folder,
      encoding: 'utf8',
      env: cleanEnv(env),
      timeout: TIMEOUT_MS,
      maxBuffer: 64 * 1024 * 1024,
      ...(uid === undefined ? {} : { uid, gid: uid }),
    })
    return { code: status, stdout, stderr }
  }

  /** Runs a shell command line, in which `$S` is `sudoagent`. */
  shell(line: string, { env = {} }: RunOptions = {}): Ran {
    const { status, stdout, stderr } = spawnSync('bash', ['-c', line], {
      cwd: this.folder,
      encoding: 'utf8',
      env: cleanEnv({ S: `${process.execPath} ${BIN}`, ...env }),
      timeout: TIMEOUT_MS,
      maxBuffer: 64 * 1024 * 1024,
    })
    return { code: status, stdout, stderr }
  }

  /** Runs `sudoagent` on a pseudo-terminal of this width, which merges both output streams. */
  terminal(args: readonly string[], columns: number, env: Readonly<Record<string, string>> = {}): Ran {
    const quoted = [process.execPath, BIN, ...args].map((arg) => `'${arg.replaceAll("'", "'\\''")}'`).join(' ')
    const { status, stdout, stderr } = spawnSync(
      'script',
      ['-qec', `stty cols ${columns} rows 24; exec ${quoted}`, '/dev/null'],
      {
        cwd: this.folder,
        encoding: 'utf8',
        env: cleanEnv({ TERM: 'xterm', ...env }),
        timeout: TIMEOUT_MS,
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    )
    return { code: status, stdout: stdout.replaceAll('\r\n', '\n'), stderr }
  }

  /** Starts `sudoagent` in the background. */
  start(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
    return spawn(process.execPath, [BIN, ...args], {
      cwd: this.folder,
      env: cleanEnv(env),
      stdio: ['ignore', 'pipe', 'pipe'],
    })
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true })
  }
}

/** Creates a sandbox for the current test. */
export function sandbox(): Sandbox {
  const made = new Sandbox()
  onTestFinished(() => made.remove())
  return made
}

/** Returns the environment of a command, which excludes the settings of the user who runs the tests. */
function cleanEnv(env: Readonly<Record<string, string>>): Record<string, string> {
  const { PATH = '', HOME = '', TMPDIR, PGPASSWORD } = process.env
  // The password for the server at SUDOAGENT_TEST_POSTGRES_URL.
  const password = PGPASSWORD === undefined ? {} : { PGPASSWORD }
  return { PATH, HOME, LANG: 'C.UTF-8', ...(TMPDIR === undefined ? {} : { TMPDIR }), ...password, ...env }
}

/** Returns whether a program is installed. */
export function hasProgram(name: string): boolean {
  return spawnSync('sh', ['-c', `command -v ${name}`]).status === 0
}

/** Returns whether a pseudo-terminal is available. */
export function hasTerminal(): boolean {
  return (
    spawnSync('script', ['-qec', 'stty cols 80', '/dev/null'], { stdio: ['ignore', 'ignore', 'ignore'] }).status === 0
  )
}

/** Prints why tests are skipped, so that a skipped test does not go unnoticed. */
export function skipUnless(condition: boolean, why: string): boolean {
  if (!condition) console.info(`skipped: ${why}`)
  return !condition
}
