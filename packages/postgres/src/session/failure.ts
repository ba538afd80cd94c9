// Maps server and connection errors to ledger error codes, with a message on one line and without a password.
import { LedgerError, type LedgerErrorCode } from '@sudoagent/ledger'

/** Returns the SQLSTATE of a server error; null for a connection error. */
export function sqlState(error: unknown): string | null {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) && 'severity' in (error as object) ? code : null
}

/** Whether the same transaction may succeed if retried: after a serialization failure or a deadlock. */
export function isTransient(error: unknown): boolean {
  return ['40001', '40P01'].includes(sqlState(error) ?? '')
}

const INIT_HINT = '`sudoagent postgres init` creates the tables'

const CODES: ReadonlyMap<string, readonly [LedgerErrorCode, string, string?]> = new Map([
  [
    '28P01',
    ['LEDGER_NOT_READABLE', 'refused the login: the password is wrong or missing', 'set PGPASSWORD or PGPASSFILE'],
  ],
  ['28000', ['LEDGER_NOT_READABLE', 'refused the login', 'pg_hba.conf on the server defines who can connect']],
  ['3D000', ['LEDGER_NOT_FOUND', 'names a database that does not exist', 'create it, or use a different database']],
  ['3F000', ['LEDGER_NOT_A_LEDGER', 'does not contain the tables of sudoagent', INIT_HINT]],
  ['42P01', ['LEDGER_NOT_A_LEDGER', 'does not contain the tables of sudoagent', INIT_HINT]],
  ['42703', ['LEDGER_NOT_A_LEDGER', 'has different tables under the names of the sudoagent tables', INIT_HINT]],
  [
    '42809',
    [
      'LEDGER_NOT_A_LEDGER',
      'has other objects under the names of the sudoagent tables',
      'find out who owns the schema',
    ],
  ],
  [
    '42501',
    [
      'LEDGER_NOT_READABLE',
      'cannot be used: permission denied',
      'the role needs `<schema>_writer` or `<schema>_reader`',
    ],
  ],
  ['25006', ['LEDGER_WRITE_FAILED', 'cannot be written: the server is read-only', 'use the URL of the primary']],
  ['53100', ['LEDGER_WRITE_FAILED', 'cannot be written: the server disk is full']],
  ['53200', ['LEDGER_WRITE_FAILED', 'cannot be written: the server is out of memory']],
  ['53300', ['LEDGER_BUSY', 'has no free connection']],
  ['55P03', ['LEDGER_BUSY', 'has been locked by another writer for longer than the timeout']],
  ['57014', ['LEDGER_BUSY', 'did not answer within the statement timeout']],
  ['40001', ['LEDGER_BUSY', 'refused the transaction repeatedly: could not serialize']],
  ['40P01', ['LEDGER_BUSY', 'refused the transaction repeatedly: deadlock']],
  ['23001', ['LEDGER_DAMAGED', 'refuses to change recorded data', 'run `sudoagent verify` on it']],
  ['23502', ['LEDGER_DAMAGED', 'contains an incomplete tree', 'run `sudoagent verify` on it']],
  ['23505', ['LEDGER_DAMAGED', 'already has an entry after its head', 'run `sudoagent verify` on it']],
])

/** The server is shutting down or starting up, or terminated the session. */
const AWAY = /^57P0/

/** The certificate error codes of Node. */
const CERTIFICATE =
  /^(?:CERT_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|ERR_TLS_CERT_|INVALID_CA|PATH_LENGTH_|HOSTNAME_MISMATCH)/

/** Converts any error to a LedgerError. A LedgerError is returned unchanged. */
export function asLedgerError(error: unknown, shown: string, otherwise: LedgerErrorCode): LedgerError {
  if (error instanceof LedgerError) return error
  const state = sqlState(error)
  const [code, says, hint] = (state === null ? undefined : CODES.get(state)) ?? [
    otherwise,
    ...otherFailure(error, state),
  ]
  return new LedgerError(code, `\`${shown}\` ${says}`, { cause: error, ...(hint === undefined ? {} : { hint }) })
}

/** Describes any other server or connection error. @returns a message and a hint */
function otherFailure(error: unknown, state: string | null): readonly [string, string?] {
  const nodeCode = String((error as { readonly code?: unknown } | null)?.code)
  const why = error instanceof Error ? error.message || nodeCode : String(error)
  if (state !== null && !AWAY.test(state)) return [`failed: ${why}`, 'see the server log']
  if (CERTIFICATE.test(nodeCode))
    return [`cannot be trusted: its certificate was rejected: ${why}`, certificateHint(nodeCode)]
  // `pg` throws this error without a code.
  if (why === 'The server does not support SSL connections')
    return [
      'does not support TLS',
      'enable `ssl` on the server; with `sslmode=disable` in the URL, the connection is not encrypted',
    ]
  return [`cannot be reached: ${why}`, 'check that the server is running and accepts connections on that host and port']
}

function certificateHint(nodeCode: string): string {
  if (nodeCode === 'ERR_TLS_CERT_ALTNAME_INVALID') return 'use the host name of its certificate'
  if (/^CERT_(?:HAS_EXPIRED|NOT_YET_VALID)$/.test(nodeCode))
    return 'renew the certificate, or check the clock of this machine'
  return '`sslrootcert=<file>` in the URL sets the authority that must have issued its certificate'
}

/** The error for a writer that other writers kept waiting. */
export const busy = (shown: string): LedgerError =>
  new LedgerError('LEDGER_BUSY', `\`${shown}\` is busy with other writers`, { hint: 'try again' })

/** The error for a commit whose result remains unknown. */
export function unknownCommit(shown: string, cause: unknown): LedgerError {
  const message = `\`${shown}\`: the connection was lost during a commit; the entry may have been recorded`
  return new LedgerError('LEDGER_WRITE_FAILED', message, {
    hint: 'when the server is available again, look for the request with `sudoagent search`',
    cause,
  })
}
