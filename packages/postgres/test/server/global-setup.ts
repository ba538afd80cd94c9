// Runs before and after all tests. Sets the folder for the shared server. The first test that needs the server starts
// it, so a run without such tests does not start a server.
//
// With SUDOAGENT_TEST_POSTGRES_URL, the tests use an installed server on this machine instead, as a superuser, over a
// Unix socket or TCP:
//
//   export SUDOAGENT_TEST_POSTGRES_URL=postgres://postgres@127.0.0.1:5432/postgres PGPASSWORD=…
//   npx vitest run packages/postgres
//
// Afterwards, the databases `test_…` and the roles that the tests created are removed. Tests that kill or reconfigure a
// server start their own server.
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { parseTarget } from '../../src/session/target.js'
import { FOLDER_VARIABLE, MADE_FILE, type Made, URL_VARIABLE } from './shared.js'

export function setup(): () => Promise<void> {
  // Each test project runs this function, and the first project sets the folder for all.
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

/**
 * Converts the URL to the form that the tests parse, `postgres://user@host:port/database`. Moves the password to
 * PGPASSWORD, because commands refuse URLs with a password.
 */
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
  // Roles come last, because they own objects in the databases.
  for (const kind of ['DATABASE', 'ROLE'] as const) {
    for (const { name } of things.filter((thing) => thing.kind === kind)) {
      const drop = `DROP ${kind} IF EXISTS ${name} ${kind === 'DATABASE' ? 'WITH (FORCE)' : ''}`
      await asSuperuser(process.env[URL_VARIABLE] ?? '', drop).catch((error) =>
        console.warn(`${name} could not be removed: ${error.message}`),
      )
    }
  }
}
