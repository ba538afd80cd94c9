// Repeats the check of a schema if the schema has changed since the file was opened.
import type { SqliteConnection } from './objects.js'

/**
 * Detects a change of the schema while a writer has the file open, since a trigger added then takes effect,
 * too. Each check reads one number of the file's header.
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

  /** Called in a transaction, before it writes. @throws any error of `check` */
  require(): void {
    const version = this.#version.get()
    if (version === this.#checked) return
    this.#check()
    this.#checked = version
  }
}
