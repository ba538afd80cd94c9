// The upstream of a guard: a command to start, or a URL to connect to.
import type { GuardTransport } from '@sudoagent/mcp'
import { CliError, EXIT } from '../../exit.js'
import { readToken } from '../../input/token.js'
import type { Io } from '../../terminal/io.js'

export interface UpstreamOptions {
  readonly upstream?: string
  readonly upstreamTokenFile?: string
  readonly upstreamTokenEnv?: string
  readonly env?: readonly string[]
}

export interface Upstream {
  /** The default name of the server; null if it cannot be derived from the command. */
  readonly name: string | null
  /**
   * Starts a server, or connects to one, for one session. If this function started the server, the server exits when
   * this process exits.
   */
  open(): GuardTransport
}

/** @throws CliError unless exactly one of command and URL is given */
export async function chooseUpstream(command: readonly string[], options: UpstreamOptions, io: Io): Promise<Upstream> {
  const { upstream: url } = options
  const [program, ...args] = command
  if (program === undefined && url === undefined)
    throw new CliError(EXIT.usage, 'no server', 'give its command after `--`, or its URL with `--upstream`')
  if (program !== undefined && url !== undefined)
    throw new CliError(EXIT.usage, 'two servers', 'give either a command after `--`, or `--upstream`')
  const { ChildUpstream, HttpUpstream } = await import('@sudoagent/mcp')
  if (program === undefined) {
    const target = parseUrl(url ?? '')
    const token = await readToken({ file: options.upstreamTokenFile, variable: options.upstreamTokenEnv }, io)
    if (token === null && options.upstreamTokenEnv !== undefined)
      throw new CliError(
        EXIT.usage,
        `the variable \`${options.upstreamTokenEnv}\` is not set`,
        "set it to the server's token",
      )
    return { name: target.hostname, open: () => new HttpUpstream({ url: target, token: token ?? undefined }) }
  }
  const env = childEnv(options.env)
  return {
    name: nameOf(command),
    open() {
      const child = new ChildUpstream({ command: program, args, env })
      const forget = io.atExit(() => child.killNow())
      void child.ended.then(forget)
      return child
    },
  }
}

/** Programs that start a server, with their subcommands. The server name follows. */
const RUNNERS = new Set('npx node bunx bun pnpm dlx uvx uv run x python python3 deno'.split(' '))

/** Options of these programs that take no value: the next word is not an argument of the option. */
const FLAGS = /^(?:-y|--yes|-q|--quiet|--silent|-u|-m|-A|--allow-[a-z-]+(?:=.*)?|--)$/

/** Programs whose arguments have an unknown structure, so that no name can be derived. */
const WRAPPERS = new Set(
  'docker podman nerdctl env sh bash zsh dash ash ksh fish cmd powershell pwsh wsl sudo doas su ssh nohup nice timeout stdbuf xargs exec npm yarn make'.split(
    ' ',
  ),
)

/**
 * Derives the name of the server: `npx -y @scope/server-files@1.2 /data` → `server-files`.
 *
 * @returns null if the name is ambiguous: `docker run -e TOKEN image`, `npx --package a b`
 */
function nameOf(command: readonly string[]): string | null {
  for (const word of command) {
    const base = baseOf(word)
    if (FLAGS.test(word)) continue
    if (word.startsWith('-') || WRAPPERS.has(base)) return null
    if (!RUNNERS.has(base)) return /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(base) ? base : null
  }
  return null
}

const baseOf = (word: string): string =>
  (
    word
      .replace(/(?<=.)@[^/@]*$/, '')
      .split(/[\\/]/)
      .at(-1) ?? ''
  ).replace(/\.(?:[cm]?js|exe|cmd|bat|py|ts|sh)$/, '')

function parseUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null
  if (url !== null && /^https?:$/.test(url.protocol) && url.username === '' && url.password === '') return url
  throw new CliError(
    EXIT.usage,
    `--upstream \`${text}\` is not the URL of a server`,
    'for example `https://server.example/mcp`; give a token with --upstream-token-file',
  )
}

function childEnv(given: readonly string[] = []): Readonly<Record<string, string>> {
  return Object.fromEntries(
    given.map((text) => {
      const [, name, value] = /^([A-Za-z_][A-Za-z0-9_]*)(?:=(.*))?$/s.exec(text) ?? []
      if (name === undefined)
        throw new CliError(EXIT.usage, `--env \`${text}\` is not a variable`, '`NAME` or `NAME=value`')
      const found = value ?? process.env[name]
      if (found === undefined)
        throw new CliError(EXIT.usage, `--env \`${name}\`: the variable is not set`, 'set it first')
      return [name, found]
    }),
  )
}
