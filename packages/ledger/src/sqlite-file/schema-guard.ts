// A check of the schema that was made when a file was opened, repeated when the schema has changed since.
import type { SqliteConnection } from './objects.js'

/**
 * Notices a change of the schema while a writer has the file open: a trigger that is planted then takes effect as well as one that was there before.
 * Costs one number of the file's header for each check.
 */
export class SchemaGuard {
  readonly #version: { get(): unknown }
  readonly #check: () => void
  #checked: unknown

  /** @param check - throws when the schema is not acceptable. It has passed for the schema as it is now. */
  constructor(db: SqliteConnection, check: () => void) {
    this.#version = db.prepare('PRAGMA schema_version').pluck()
    this.#check = check
    this.#checked = this.#version.get()
  }

  /** To be called in a transaction, before it writes. @throws what `check` throws */
  require(): void {
    const version = this.#version.get()
    if (version === this.#checked) return
    this.#check()
    this.#checked = version
  }
}
