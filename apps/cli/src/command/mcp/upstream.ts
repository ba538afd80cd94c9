// The server's side of a guard: a command to start, or a URL to connect to.
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
  /** What it is called by default; null where its command does not say. */
  readonly name: string | null
  /** One server, for one session. Whatever is started ends with the process. */
  open(): GuardTransport
}

/** @throws CliError when there is no server, or two */
export async function chooseUpstream(command: readonly string[], options: UpstreamOptions, io: Io): Promise<Upstream> {
  const { upstream: url } = options
  const [program, ...args] = command
  if (program === undefined && url === undefined)
    throw new CliError(EXIT.usage, 'no server', 'name its command behind `--`, or its URL with `--upstream`')
  if (program !== undefined && url !== undefined)
    throw new CliError(EXIT.usage, 'two servers', 'either a command behind `--`, or `--upstream`')
  const { ChildUpstream, HttpUpstream } = await import('@sudoagent/mcp')
  if (program === undefined) {
    const target = parseUrl(url ?? '')
    const token = await readToken({ file: options.upstreamTokenFile, variable: options.upstreamTokenEnv }, io)
    if (token === null && options.upstreamTokenEnv !== undefined)
      throw new CliError(
        EXIT.usage,
        `there is no variable \`${options.upstreamTokenEnv}\``,
        'set it to the token of the server',
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

/** Programs that start the server which is named after them; what each has between itself and that name. */
const RUNNERS = new Set('npx node bunx bun pnpm dlx uvx uv run x python python3 deno'.split(' '))

/** Options of theirs that take no value, so that the word behind them is the server's. */
const FLAGS = /^(?:-y|--yes|-q|--quiet|--silent|-u|-m|-A|--allow-[a-z-]+(?:=.*)?|--)$/

/** Programs that start something, and of whose arguments only they know which: a name made of them could be anybody's. */
const WRAPPERS = new Set(
  'docker podman nerdctl env sh bash zsh dash ash ksh fish cmd powershell pwsh wsl sudo doas su ssh nohup nice timeout stdbuf xargs exec npm yarn make'.split(
    ' ',
  ),
)

/**
 * `npx -y @scope/server-files@1.2 /data` → `server-files`: the server's own word, where it is certain which one that is.
 *
 * @returns null where it is not: `docker run -e TOKEN image`, `npx --package a b`
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
    `--upstream \`${text}\` is no URL of a server`,
    '`https://server.example/mcp`, and the token in a file',
  )
}

function childEnv(given: readonly string[] = []): Readonly<Record<string, string>> {
  return Object.fromEntries(
    given.map((text) => {
      const [, name, value] = /^([A-Za-z_][A-Za-z0-9_]*)(?:=(.*))?$/s.exec(text) ?? []
      if (name === undefined)
        throw new CliError(EXIT.usage, `--env \`${text}\` names no variable`, '`NAME` or `NAME=value`')
      const found = value ?? process.env[name]
      if (found === undefined)
        throw new CliError(EXIT.usage, `--env \`${name}\`: there is no such variable`, 'set it first')
      return [name, found]
    }),
  )
}
