// Runs before and after all tests. Names a folder for the one server that they share; the first test that asks for it starts it, so that a run
// without such a test pays nothing.
//
// With SUDOAGENT_TEST_POSTGRES_URL they use the server that it names, as a superuser, over a unix socket or over TCP on this machine:
//
//   SUDOAGENT_TEST_POSTGRES_URL=postgres://postgres@127.0.0.1:5432/postgres PGPASSWORD=… npx vitest run packages/postgres
//
// What they make there, databases `test_…` and roles, is taken away again. Tests that kill a server, or set it up in another way, start their own.
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { parseTarget } from '../../src/session/target.js'
import { FOLDER_VARIABLE, MADE_FILE, type Made, URL_VARIABLE } from './shared.js'

export function setup(): () => Promise<void> {
  // Each project of the tests runs this; the first one names the folder for all.
  if (process.env[FOLDER_VARIABLE] !== undefined) return async () => {}
  const folder = mkdtempSync(join(tmpdir(), 'sudoagent-pg-'))
  process.env[FOLDER_VARIABLE] = folder
  const installed = process.env[URL_VARIABLE]
  if (installed !== undefined) takeOver(installed)
  return async () => {
    const ready = join(folder, 'ready')
    if (installed !== undefined) await cleanUp(join(folder, MADE_FILE))
    else if (existsSync(ready)) {
      const { stopCluster } = await import('./cluster.js')
      await stopCluster(JSON.parse(readFileSync(ready, 'utf8')), 'SIGQUIT')
    }
    rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
  }
}

/** The URL in the one form that tests take apart, `postgres://user@host:port/database`, and its password in PGPASSWORD: commands refuse URLs with one. */
function takeOver(installed: string): void {
  const { hosts, user = userInfo().username, database = user, password } = parseTarget(installed)
  const [host] = hosts
  if (host === undefined || hosts.length > 1) throw new Error(`${URL_VARIABLE} must name one host`)
  const place = `${encodeURIComponent(user)}@${encodeURIComponent(host.name)}:${host.port}`
  process.env[URL_VARIABLE] = `postgres://${place}/${encodeURIComponent(database)}`
  if (password !== undefined) process.env.PGPASSWORD = password
}

async function cleanUp(made: string): Promise<void> {
  if (!existsSync(made)) return
  const { asSuperuser } = await import('./cluster.js')
  const things = readFileSync(made, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Made)
  // Roles last: they own what is in the databases.
  for (const kind of ['DATABASE', 'ROLE'] as const) {
    for (const { name } of things.filter((thing) => thing.kind === kind)) {
      const drop = `DROP ${kind} IF EXISTS ${name} ${kind === 'DATABASE' ? 'WITH (FORCE)' : ''}`
      await asSuperuser(process.env[URL_VARIABLE] ?? '', drop).catch((error) =>
        console.warn(`${name} could not be taken away: ${error.message}`),
      )
    }
  }
}
