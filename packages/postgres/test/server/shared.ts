// The server that all test files share: an installed one when SUDOAGENT_TEST_POSTGRES_URL names it (a superuser's URL), else one of our own, which
// the first to ask starts.
import { randomBytes } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { schemaSql } from '../../src/schema.js'
import { asSuperuser, createCluster, urlOf } from './cluster.js'

export const FOLDER_VARIABLE = 'SUDOAGENT_TEST_POSTGRES_FOLDER'

/** As long as a server may take to be made and started. */
const WAIT_MS_MAX = 90_000

/** The superuser's URL of the shared server. */
export async function serverUrl(): Promise<string> {
  return process.env.SUDOAGENT_TEST_POSTGRES_URL ?? urlOf(JSON.parse(readFileSync(await readyFile(), 'utf8')))
}

/** A new database with our tables, and its URL. */
export async function newDatabase({ roles = false, schema = 'sudoagent' } = {}): Promise<string> {
  const server = await serverUrl()
  const name = `test_${randomBytes(8).toString('hex')}`
  await asSuperuser(server, `CREATE DATABASE ${name} TEMPLATE template0 ENCODING 'UTF8'`)
  const url = server.replace(/\/[^/?]*(\?|$)/, `/${name}$1`)
  await asSuperuser(url, schemaSql({ schema, roles }))
  return url
}

/** The URL of a ledger in a database. */
export function ledgerUrl(database: string, ledger = `l-${randomBytes(6).toString('hex')}`): string {
  return `${database}${database.includes('?') ? '&' : '?'}ledger=${ledger}`
}

async function readyFile(): Promise<string> {
  const folder = process.env[FOLDER_VARIABLE]
  if (folder === undefined)
    throw new Error(`${FOLDER_VARIABLE} is not set: run the tests with vitest.config.ts of the repository`)
  const ready = join(folder, 'ready')
  if (existsSync(ready)) return ready
  if (isFirst(join(folder, 'starting'))) {
    // The unprivileged user of the server has to get through.
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
