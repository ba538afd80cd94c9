// Repeats a schema check if the schema has changed since the file was opened.
import type { SqliteConnection } from './objects.js'

/**
 * Detects a schema change while a writer has the file open: a trigger that is added during that time would take
 * effect, too. Each check reads one number from the file header.
 */
export class SchemaGuard {
  readonly #version: { get(): unknown }
  readonly #check: () => void
  #checked: unknown

  /** @param check - throws if the schema is not acceptable; must have passed for the current schema */
  constructor(db: SqliteConnection, check: () => void) {
    this.#version = db.prepare('PRAGMA schema_version').pluck()
    this.#check = check
    this.#checked = this.#version.get()
  }

  /** Called in a transaction, before the first write. @throws any error of `check` */
  require(): void {
    const version = this.#version.get()
    if (version === this.#checked) return
    this.#check()
    this.#checked = version
  }
}
