// The operational log: what happened, for people who run the system. It is not evidence (no chain, no signature); but a decision that
// cannot even be logged does not run.
import { constants } from 'node:fs'
import { open } from 'node:fs/promises'

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

/** Not through a link that somebody planted, and without waiting for a reader where a pipe is. Where a system has no such flag, it is 0. */
const FLAGS =
  constants.O_WRONLY |
  constants.O_APPEND |
  constants.O_CREAT |
  (constants.O_NOFOLLOW ?? 0) |
  (constants.O_NONBLOCK ?? 0)

/** The log says who does what: it is its owner's alone, also when the file was there before. */
const MODE = 0o600

async function append(path: string, line: string): Promise<void> {
  const file = await open(path, FLAGS, MODE)
  try {
    const stat = await file.stat()
    if (!stat.isFile()) throw new TypeError('the audit log is not a regular file')
    if (process.platform !== 'win32' && (stat.mode & 0o077) !== 0) await file.chmod(MODE)
    await file.writeFile(line)
  } finally {
    await file.close()
  }
}

/**
 * Appends one JSON object a line. The file is created when it is not there; it is readable by its owner only (mode 0600),
 * whatever its mode was. A symbolic link is not followed, and nothing but a regular file is written to: then nothing runs.
 */
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
    const written = this.#last.then(() => append(this.#path, line))
    this.#last = written.catch(() => {})
    return written
  }
}
