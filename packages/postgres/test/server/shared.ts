// Provides the server that all test files share: the installed server at SUDOAGENT_TEST_POSTGRES_URL, or a server
// that the first caller starts. `global-setup.ts` describes the URL.
import { randomBytes } from 'node:crypto'
import { appendFileSync, chmodSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import { schemaSql } from '../../src/schema/schema.js'
import { asSuperuser, createCluster, urlOf } from './cluster.js'

export const FOLDER_VARIABLE = 'SUDOAGENT_TEST_POSTGRES_FOLDER'
export const URL_VARIABLE = 'SUDOAGENT_TEST_POSTGRES_URL'
export const MADE_FILE = 'made'

/** Maximum time to create and start a server, in milliseconds. */
const WAIT_MS_MAX = 90_000

/**
 * Whether the shared server is an installed server. On an installed server, the tests must remove everything that they
 * create, and must not change files on the server's disk.
 */
export const isInstalled = process.env[URL_VARIABLE] !== undefined

/**
 * Returns the URL with which the superuser connects to the shared server. The password is in PGPASSWORD, which the CLI
 * also reads.
 */
export async function serverUrl(): Promise<string> {
  return process.env[URL_VARIABLE] ?? urlOf(JSON.parse(readFileSync(await readyFile(), 'utf8')))
}

/** Creates a database, by default with the package's tables. @returns its URL */
export async function newDatabase({
  tables = true,
  roles = false,
  separateRoles = false,
  schema = 'sudoagent',
} = {}): Promise<string> {
  const server = await serverUrl()
  const name = `test_${randomBytes(8).toString('hex')}`
  await asSuperuser(server, `CREATE DATABASE ${name} TEMPLATE template0 ENCODING 'UTF8'`)
  note({ kind: 'DATABASE', name })
  const url = server.replace(/\/[^/?]*(\?|$)/, `/${name}$1`)
  if (roles) await willMakeRoles(schema)
  if (tables) await asSuperuser(url, schemaSql({ schema, roles, separateRoles }))
  return url
}

/** Call this before creating the roles of a schema, so that new roles are removed after the tests. */
export async function willMakeRoles(schema: string): Promise<void> {
  const names = ['owner', 'writer', 'reader', 'approver'].map((kind) => `${schema}_${kind}`)
  const there = await asSuperuser<{ rolname: string }>(
    await serverUrl(),
    'SELECT rolname FROM pg_roles WHERE rolname = ANY ($1)',
    [names],
  )
  for (const name of names) if (!there.some(({ rolname }) => rolname === name)) note({ kind: 'ROLE', name })
}

/** Creates a login role. The default password is the superuser's password. @returns its name */
export async function newLogin(attributes = '', password = process.env.PGPASSWORD): Promise<string> {
  const name = `test_${randomBytes(8).toString('hex')}`
  const secret = password === undefined ? '' : `PASSWORD '${password.replaceAll("'", "''")}'`
  note({ kind: 'ROLE', name })
  await asSuperuser(await serverUrl(), `CREATE ROLE ${name} LOGIN ${secret} ${attributes}`)
  return name
}

/** Returns the URL with a different role. */
export function urlAs(role: string, url: string): string {
  return url.replace(/\/\/(?:[^@/?]*@)?/, `//${role}@`)
}

/** An object that the tests created on a server. `global-setup.ts` removes these objects. */
export interface Made {
  readonly kind: 'DATABASE' | 'ROLE'
  readonly name: string
}

function note(made: Made): void {
  appendFileSync(join(process.env[FOLDER_VARIABLE] ?? '', MADE_FILE), `${JSON.stringify(made)}\n`)
}

/**
 * Holds the lock of all ledgers in a database, as a stopped writer would. @returns a function that releases the lock
 */
export async function holdHeads(database: string): Promise<() => Promise<void>> {
  const holder = new pg.Client({ connectionString: database })
  await holder.connect()
  await holder.query('BEGIN; SELECT * FROM sudoagent.head FOR UPDATE')
  return async () => {
    await holder.query('ROLLBACK')
    await holder.end()
  }
}

/** Returns the URL of a ledger in a database. */
export function ledgerUrl(database: string, ledger = `l-${randomBytes(6).toString('hex')}`): string {
  return `${database}${database.includes('?') ? '&' : '?'}ledger=${ledger}`
}

async function readyFile(): Promise<string> {
  const folder = process.env[FOLDER_VARIABLE]
  if (folder === undefined)
    throw new Error(`${FOLDER_VARIABLE} is not set: run the tests with the repository's vitest.config.ts`)
  const ready = join(folder, 'ready')
  if (existsSync(ready)) return ready
  if (isFirst(join(folder, 'starting'))) {
    // The server runs as an unprivileged user, who needs access.
    chmodSync(folder, 0o755)
    const cluster = await createCluster(join(folder, 'shared'))
    writeFileSync(`${ready}.new`, JSON.stringify(cluster))
    renameSync(`${ready}.new`, ready)
    return ready
  }
  for (const deadline = Date.now() + WAIT_MS_MAX; !existsSync(ready); await delay(50)) {
    if (Date.now() > deadline) throw new Error('the shared PostgreSQL server did not start')
  }
  return ready
}

function isFirst(path: string): boolean {
  try {
    mkdirSync(path)
    return true
  } catch {
    return false
  }
}
