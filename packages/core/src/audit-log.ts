// Writes the operational log, for the people who run the system. The log is not evidence, because it does not have a
// hash chain or signatures. However, a call does not run if its decision cannot be logged.
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

/** Receives operational records. If `write` throws or rejects for a decision, the call fails with AuditLogError. */
export interface AuditLog {
  write(record: AuditRecord): void | Promise<void>
}

/**
 * Flags that open the file without following symbolic links and, for a pipe, without waiting for a reader. A flag
 * that the operating system does not define is 0.
 */
const FLAGS =
  constants.O_WRONLY |
  constants.O_APPEND |
  constants.O_CREAT |
  (constants.O_NOFOLLOW ?? 0) |
  (constants.O_NONBLOCK ?? 0)

/** The log names agents and actions, so only its owner may read the file, even if the file already existed. */
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
 * Appends one JSON object per line. The file is created if needed, and its mode is set to 0600. A symbolic link or a
 * file that is not a regular file is rejected; guarded calls then do not run.
 */
export class JsonlAuditLog implements AuditLog {
  readonly #path: string
  #last: Promise<void> = Promise.resolve()

  /** @param path - default: `sudo_audit.jsonl` in the working directory */
  constructor(path = 'sudo_audit.jsonl') {
    this.#path = path
  }

  /** Writes records one at a time, in the order of the `write` calls. */
  write(record: AuditRecord): Promise<void> {
    const line = `${JSON.stringify(record)}\n`
    const written = this.#last.then(() => append(this.#path, line))
    this.#last = written.catch(() => {})
    return written
  }
}
