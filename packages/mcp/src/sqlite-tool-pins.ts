/**
 * Tool definitions in one SQLite file that several guards share, one row a tool and state:
 *
 *     sudoagent_mcp_tool (server, tool, state, digest, definition, seen_at_ms)
 *
 * Of each tool at most one definition is `accepted`, and one, the last that was seen, `changed`.
 */
import { closeSync, openSync } from 'node:fs'
import { type Hash, isHash } from '@sudoagent/crypto'
import Database from 'better-sqlite3'
import type { ToolDefinition } from './tool-definition.js'
import type { SeenDefinition, SeenState, ToolPin, ToolPins } from './tool-pins.js'

/** Ours take milliseconds; after this something is stuck. */
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

interface Row {
  readonly server: string
  readonly tool: string
  readonly state: ToolPin['state']
  readonly digest: Hash
  readonly definition: string
  readonly seenAtMs: number
}

export class SqliteToolPins implements ToolPins {
  readonly #db: Database.Database
  readonly #find: Database.Statement
  readonly #put: Database.Statement
  readonly #drop: Database.Statement
  readonly #list: Database.Statement

  private constructor(db: Database.Database) {
    this.#db = db
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
   * Opens the file, creating it (mode 0600) where needed.
   *
   * @throws SqliteError, or the file system's error, when it cannot be opened or is no database
   */
  static open(path: string): SqliteToolPins {
    try {
      closeSync(openSync(path, 'wx', 0o600))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
    const db = new Database(path, { fileMustExist: true, timeout: BUSY_TIMEOUT_MS })
    try {
      db.pragma('trusted_schema = OFF')
      // Rows are few and written seldom: without WAL there is one file to look after.
      db.pragma('synchronous = FULL')
      db.exec(SCHEMA)
      return new SqliteToolPins(db)
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
    // Mostly it is the one that is known; only the rest needs the write lock.
    if (this.#digestOf(server, tool, 'accepted') === digest) return 'accepted'
    return this.#db
      .transaction(() => {
        const known = this.#digestOf(server, tool, 'accepted')
        if (known === digest) return 'accepted'
        const changed = this.#digestOf(server, tool, 'changed')
        const state = known === undefined && changed === undefined ? first : 'changed'
        // A server that shows it over and over does not write over and over.
        if (changed !== digest) this.#put.run({ server, tool, state, digest, definition, seenAtMs: Date.now() })
        return state === 'changed' && known === undefined ? 'new' : state
      })
      .immediate()
  }

  acceptExactly(definitions: readonly SeenDefinition[]): boolean {
    return this.#db
      .transaction(() => {
        const changed = this.list().filter((pin) => pin.state === 'changed')
        const found = definitions.map((seen) =>
          changed.find((pin) => pin.server === seen.server && pin.tool === seen.tool && pin.digest === seen.digest),
        )
        if (found.includes(undefined)) return false
        for (const pin of found) if (pin !== undefined) this.#accept(pin)
        return true
      })
      .immediate()
  }

  accept(server: string, tool?: string): readonly ToolPin[] {
    return this.#db
      .transaction(() =>
        this.list(server)
          .filter((pin) => pin.state === 'changed' && (tool ?? pin.tool) === pin.tool)
          .map((pin) => this.#accept(pin)),
      )
      .immediate()
  }

  list(server?: string): readonly ToolPin[] {
    return (this.#list.all({ server: server ?? null }) as Row[]).map(({ seenAtMs, ...row }) => ({
      ...row,
      seenAt: new Date(seenAtMs),
    }))
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
    // Others can write to the file.
    if (!isHash(row.digest)) throw new TypeError('a tool definition on file has no digest')
    return row.digest
  }
}
