// Runs a PostgreSQL server for tests, with a data directory, a Unix socket, and a TCP port on loopback. PostgreSQL
// refuses to run as root, so root starts the server as an unprivileged user.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { appendFileSync, chownSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import { installBinaries } from './binaries.js'

/** The user and group ID of `nobody` on all common systems. */
const UNPRIVILEGED_ID = 65_534

/** Maximum time until a server answers, in milliseconds. The limit leaves room for a busy machine. */
const START_MS_MAX = 60_000

const identity = process.getuid?.() === 0 ? { uid: UNPRIVILEGED_ID, gid: UNPRIVILEGED_ID } : {}

export interface Cluster {
  readonly folder: string
  readonly data: string
  readonly port: number
  readonly pid: number
}

/** Returns the `postgres://` URL of a database in a cluster, over the Unix socket. */
export function urlOf({ folder, port }: Pick<Cluster, 'folder' | 'port'>, database = 'postgres'): string {
  return `postgres://postgres@${encodeURIComponent(folder)}:${port}/${database}`
}

/** Creates a cluster in a new folder and starts it. `settings` are written to postgresql.conf. */
export async function createCluster(folder: string, settings: readonly string[] = []): Promise<Cluster> {
  const native = prepareFolder(folder)
  run(join(native, 'bin/initdb'), [
    '-D',
    join(folder, 'data'),
    '-U',
    'postgres',
    '-A',
    'trust',
    '-E',
    'UTF8',
    '-N',
    '--no-instructions',
    '--locale=C',
  ])
  return configure(folder, settings)
}

/** Creates a standby from a base backup. The standby follows its primary. */
export async function createStandby(folder: string, primary: Cluster, name: string): Promise<Cluster> {
  prepareFolder(folder)
  await copyData(primary, join(folder, 'data'))
  writeFileSync(join(folder, 'data/standby.signal'), '')
  const source = `host=${primary.folder} port=${primary.port} user=postgres application_name=${name}`
  return configure(folder, [`primary_conninfo = '${source}'`, "synchronous_standby_names = ''"])
}

/** Starts a cluster that was stopped or killed. */
export async function startCluster(folder: string, port: number): Promise<Cluster> {
  const child = spawn(join(installBinaries(folder), 'bin/postgres'), ['-D', join(folder, 'data')], {
    ...identity,
    cwd: folder,
    env: { LC_ALL: 'C' },
    detached: true,
    stdio: 'ignore',
  })
  child.unref()
  await untilReady(child, folder, port)
  return { folder, data: join(folder, 'data'), port, pid: child.pid ?? 0 }
}

/** Stops a server. `SIGQUIT` simulates a crash, after which the server recovers at the next start. */
export async function stopCluster(
  { pid, data }: Pick<Cluster, 'pid' | 'data'>,
  signal: 'SIGINT' | 'SIGQUIT' = 'SIGINT',
): Promise<void> {
  try {
    process.kill(pid, signal)
  } catch {
    return
  }
  await until(() => !isRunning(pid) && !existsSync(join(data, 'postmaster.pid')))
}

/**
 * Kills all processes of a server at once. After a kill, unlike after a power failure, the kernel still has the data
 * that the server wrote.
 */
export async function crashCluster({ pid }: Pick<Cluster, 'pid'>): Promise<void> {
  // The server is stopped first, so that it cannot start more children.
  process.kill(pid, 'SIGSTOP')
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number)
  for (const each of [...children, pid]) {
    try {
      process.kill(each, 'SIGKILL')
    } catch {
      // The process has already exited.
    }
  }
  // A child that waits for the disk exits only after the disk answers. A new server would find the shared memory in use
  // until all children have exited and the old server is reaped.
  await until(() => !isRunning(pid) && !children.some(isWorking))
}

/** Waits for a condition, at most as long as for a server. */
async function until(isSo: () => boolean): Promise<void> {
  for (const deadline = Date.now() + START_MS_MAX; !isSo() && Date.now() < deadline; ) await delay(10)
}

/** Runs statements as the superuser in a database of a cluster. */
export async function asSuperuser<T extends pg.QueryResultRow>(
  url: string,
  text: string,
  values?: unknown[],
): Promise<T[]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    const result: pg.QueryResult<T> | pg.QueryResult<T>[] = await client.query<T>(text, values)
    return (Array.isArray(result) ? result.at(-1) : result)?.rows ?? []
  } finally {
    await client.end()
  }
}

function prepareFolder(folder: string): string {
  mkdirSync(folder, { recursive: true, mode: 0o755 })
  if (identity.uid !== undefined) chownSync(folder, identity.uid, identity.gid)
  return installBinaries(folder)
}

async function configure(folder: string, settings: readonly string[]): Promise<Cluster> {
  const port = await freePort()
  const lines = [
    `port = ${port}`,
    `unix_socket_directories = '${folder}'`,
    "listen_addresses = '127.0.0.1'",
    'max_connections = 100',
    'shared_buffers = 64MB',
    "dynamic_shared_memory_type = 'mmap'",
    'logging_collector = off',
    ...settings,
  ]
  appendFileSync(join(folder, 'data/postgresql.conf'), `${lines.join('\n')}\n`)
  return startCluster(folder, port)
}

function run(command: string, args: readonly string[]): void {
  const { status, stderr } = spawnSync(command, args, { ...identity, cwd: '/', env: { LC_ALL: 'C' }, encoding: 'utf8' })
  if (status !== 0) throw new Error(`${command} exited with ${status}: ${stderr}`)
}

/**
 * Replaces `pg_basebackup`, which the npm package does not include. Starts a backup, copies the data directory, and
 * stops the backup.
 */
async function copyData(primary: Cluster, target: string): Promise<void> {
  const client = new pg.Client({ connectionString: urlOf(primary) })
  await client.connect()
  try {
    await client.query("SELECT pg_backup_start('standby', true)")
    const { status, stderr } = spawnSync('cp', ['-a', primary.data, target], { encoding: 'utf8' })
    // If a file disappears during the copy, the server restores the file from the write-ahead log of the backup.
    if (status !== 0 && !existsSync(join(target, 'PG_VERSION'))) throw new Error(`cp exited with ${status}: ${stderr}`)
    const { rows } = await client.query<{ labelfile: string }>('SELECT labelfile FROM pg_backup_stop()')
    writeFileSync(join(target, 'backup_label'), rows[0]?.labelfile ?? '')
    rmSync(join(target, 'postmaster.pid'), { force: true })
    if (identity.uid !== undefined) chownSync(join(target, 'backup_label'), identity.uid, identity.gid)
    writeConf(target)
  } finally {
    await client.end()
  }
}

/** Removes the settings that `configure` added for the primary. */
function writeConf(data: string): void {
  const text = readFileSync(join(data, 'postgresql.conf'), 'utf8')
  writeFileSync(join(data, 'postgresql.conf'), text.slice(0, text.search(/^port = \d+$/m)))
}

async function untilReady(child: ChildProcess, folder: string, port: number): Promise<void> {
  for (const deadline = Date.now() + START_MS_MAX; ; await delay(20)) {
    if (child.exitCode !== null) throw new Error(`PostgreSQL did not start: exit code ${child.exitCode}`)
    const client = new pg.Client({ connectionString: urlOf({ folder, port }) })
    try {
      await client.connect()
      await client.end()
      return
    } catch (error) {
      if (Date.now() > deadline) throw error
    }
  }
}

/** Returns whether the process exists, including as a zombie. PostgreSQL checks in the same way. */
function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

/** Returns whether the process exists and is not a zombie. The children of a killed server may never be reaped. */
function isWorking(pid: number): boolean {
  try {
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}

/**
 * Returns a port outside the range for outgoing connections, so that the port is still free when the server restarts.
 */
async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(15_000, 30_000)
    const server = createServer().listen(port, '127.0.0.1')
    const isFree = await once(server, 'listening').then(
      () => true,
      () => false,
    )
    await new Promise((resolve) => server.close(resolve))
    if (isFree) return port
  }
}
