// The operational log: what happened, for people who run the system. It is not evidence (no chain, no signature); but a decision that
// cannot even be logged does not run.
import { appendFile } from 'node:fs/promises'

export interface AuditRecord {
  readonly timestamp: string
  readonly event: 'decision' | 'outcome' | 'error'
  readonly request_id: string
  readonly action: string
  readonly agent_id: string
  readonly [field: string]: string | number | null
}

/** Where operational records go. A rejection or a throw at a decision means that the call is refused with AuditLogError. */
export interface AuditLog {
  write(record: AuditRecord): void | Promise<void>
}

/** Appends one JSON object a line; the file is created (mode 0600) when it is not there. */
export class JsonlAuditLog implements AuditLog {
  readonly #path: string
  #last: Promise<void> = Promise.resolve()

  /** @param path - `sudo_audit.jsonl` in the working folder unless given */
  constructor(path = 'sudo_audit.jsonl') {
    this.#path = path
  }

  /** Records are written one after another, in the order in which they came. */
  write(record: AuditRecord): Promise<void> {
    const line = `${JSON.stringify(record)}\n`
    const written = this.#last.then(() => appendFile(this.#path, line, { mode: 0o600 }))
    this.#last = written.catch(() => {})
    return written
  }
}
