/**
 * Stores tool definitions in one SQLite file that several guards can share, one row per tool and state:
 *
 *   sudoagent_mcp_tool (server, tool, state, digest, definition, seen_at_ms)
 *
 * Each tool has at most one `accepted` definition and one `changed` definition. The latter is the most recent
 * unaccepted definition.
 */
import { type Hash, isHash, SudoAgentError } from '@sudoagent/crypto'
import { escapeForTerminal } from '@sudoagent/crypto/text'
import {
  createPrivately,
  FileIdentity,
  NATIVE_MODULE_HINT,
  nativeModuleProblem,
  ownObjects,
  requireOneWriter,
  requireOwnObjects,
  requireSoundFile,
  SchemaGuard,
} from '@sudoagent/ledger/sqlite-file'
import Database from 'better-sqlite3'
import { GuardError } from '../error.js'
import type { ToolDefinition } from './tool-definition.js'
import type { SeenDefinition, SeenState, ToolPin, ToolPins } from './tool-pins.js'

/** Timeout for locks; the transactions of this class take milliseconds. */
const BUSY_TIMEOUT_MS = 5_000

const SCHEMA = `CREATE TABLE IF NOT EXISTS sudoagent_mcp_tool (
  server TEXT NOT NULL,
  tool TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('accepted', 'changed')),
  digest TEXT NOT NULL,
  definition TEXT NOT NULL,
  seen_at_ms INTEGER NOT NULL,
  PRIMARY KEY (server, tool, state)
)`

const OWN_OBJECTS = ownObjects(SCHEMA)

interface Row {
  readonly server: string
  readonly tool: string
  readonly state: ToolPin['state']
  readonly digest: Hash
  readonly definition: string
  readonly seenAtMs: number
}

function pinsFailed(path: string, cause: unknown): GuardError {
  const problem = nativeModuleProblem(cause)
  const hint = problem !== null ? NATIVE_MODULE_HINT : cause instanceof SudoAgentError ? cause.hint : undefined
  const message = problem ?? (cause instanceof Error ? cause.message : 'unknown error')
  return new GuardError('TOOL_PINS_FAILED', escapeForTerminal(`\`${path}\` cannot be opened: ${message}`), {
    cause,
    hint,
  })
}

export interface SqliteToolPinsOptions {
  /**
   * Whether to accept a file that users other than the owner can write to. Default: false, because these users
   * could accept any definition.
   */
  readonly allowOtherWriters?: boolean
}

export class SqliteToolPins implements ToolPins {
  readonly #db: Database.Database
  readonly #find: Database.Statement
  readonly #put: Database.Statement
  readonly #drop: Database.Statement
  readonly #list: Database.Statement
  readonly #file: FileIdentity
  readonly #schema: SchemaGuard

  private constructor(db: Database.Database, path: string) {
    this.#db = db
    this.#file = new FileIdentity(path)
    this.#schema = new SchemaGuard(db, () => requireOwnObjects(db, OWN_OBJECTS))
    this.#find = db.prepare('SELECT digest FROM sudoagent_mcp_tool WHERE server = ? AND tool = ? AND state = ?')
    this.#put =
      db.prepare(`INSERT INTO sudoagent_mcp_tool VALUES (@server, @tool, @state, @digest, @definition, @seenAtMs)
      ON CONFLICT (server, tool, state) DO UPDATE SET digest = excluded.digest, definition = excluded.definition, seen_at_ms = excluded.seen_at_ms`)
    this.#drop = db.prepare(`DELETE FROM sudoagent_mcp_tool WHERE server = ? AND tool = ? AND state = 'changed'`)
    this.#list =
      db.prepare(`SELECT server, tool, state, digest, definition, seen_at_ms AS seenAtMs FROM sudoagent_mcp_tool
      WHERE @server IS NULL OR server = @server ORDER BY server, tool, state`)
  }

  /**
   * Opens the file. Creates the file (mode 0600) if it does not exist.
   *
   * @throws GuardError TOOL_PINS_FAILED if the file cannot be opened, is not a database, contains anything but this
   *   table, or can be written or replaced by users other than its owner
   */
  static open(path: string, { allowOtherWriters = false }: SqliteToolPinsOptions = {}): SqliteToolPins {
    try {
      return SqliteToolPins.#open(path, allowOtherWriters)
    } catch (error) {
      throw pinsFailed(path, error)
    }
  }

  static #open(path: string, allowOtherWriters: boolean): SqliteToolPins {
    createPrivately(path)
    if (!allowOtherWriters) requireOneWriter(path)
    requireSoundFile(path)
    const db = new Database(path, { fileMustExist: true, timeout: BUSY_TIMEOUT_MS })
    try {
      db.pragma('trusted_schema = OFF')
      requireOwnObjects(db, OWN_OBJECTS)
      // WAL is not needed for a few rows and rare writes; without it, the database is a single file.
      db.pragma('synchronous = FULL')
      db.exec(SCHEMA)
      return new SqliteToolPins(db, path)
    } catch (error) {
      db.close()
      throw error
    }
  }

  see(
    server: string,
    { name: tool, digest, text: definition }: ToolDefinition,
    first: ToolPin['state'] = 'accepted',
  ): SeenState {
    this.#requireIntact()
    // Most definitions are already accepted. Only other definitions need the write lock.
    if (this.#digestOf(server, tool, 'accepted') === digest) return 'accepted'
    return this.#write(() => {
      const known = this.#digestOf(server, tool, 'accepted')
      if (known === digest) return 'accepted'
      const changed = this.#digestOf(server, tool, 'changed')
      const state = known === undefined && changed === undefined ? first : 'changed'
      // A definition that the server sends repeatedly is written only once.
      if (changed !== digest) this.#put.run({ server, tool, state, digest, definition, seenAtMs: Date.now() })
      return state === 'changed' && known === undefined ? 'new' : state
    })
  }

  acceptExactly(definitions: readonly SeenDefinition[]): boolean {
    return this.#write(() => {
      const changed = this.list().filter((pin) => pin.state === 'changed')
      const found = definitions.map((seen) =>
        changed.find((pin) => pin.server === seen.server && pin.tool === seen.tool && pin.digest === seen.digest),
      )
      if (found.includes(undefined)) return false
      for (const pin of found) if (pin !== undefined) this.#accept(pin)
      return true
    })
  }

  accept(server: string, tool?: string): readonly ToolPin[] {
    return this.#write(() =>
      this.list(server)
        .filter((pin) => pin.state === 'changed' && (tool ?? pin.tool) === pin.tool)
        .map((pin) => this.#accept(pin)),
    )
  }

  list(server?: string): readonly ToolPin[] {
    this.#requireIntact()
    return (this.#list.all({ server: server ?? null }) as Row[]).map(({ seenAtMs, ...row }) => ({
      ...row,
      seenAt: new Date(seenAtMs),
    }))
  }

  #write<T>(work: () => T): T {
    return this.#db
      .transaction(() => {
        this.#requireIntact()
        return work()
      })
      .immediate()
  }

  /** Pins from a deleted file or from a file with a trigger are not reliable. */
  #requireIntact(): void {
    this.#file.check()
    this.#schema.require()
  }

  close(): void {
    this.#db.close()
  }

  #accept(pin: ToolPin): ToolPin {
    const { server, tool, digest, definition, seenAt } = pin
    this.#drop.run(server, tool)
    this.#put.run({ server, tool, state: 'accepted', digest, definition, seenAtMs: seenAt.getTime() })
    return { ...pin, state: 'accepted' }
  }

  #digestOf(server: string, tool: string, state: ToolPin['state']): Hash | undefined {
    const row = this.#find.get(server, tool, state) as { digest: unknown } | undefined
    if (row === undefined) return undefined
    // A different program may have changed the file.
    if (!isHash(row.digest)) throw new TypeError('a stored tool definition has no valid digest')
    return row.digest
  }
}
