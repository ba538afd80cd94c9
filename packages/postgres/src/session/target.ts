// Parses the location of a ledger on a server: a libpq connection URI with two additional parameters.
//
//   postgres://user@host:5432/database?ledger=payments&schema=sudoagent
//   postgres://user@one:5432,two:5433/database?ledger=payments      the first host that accepts writes
//   postgres:///database?host=/run/postgresql&ledger=payments       a unix socket
//
// Passwords come from PGPASSWORD, PGPASSFILE or ~/.pgpass. A password in the URL also works, and is masked in every
// message.
import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { type ConnectionOptions, checkServerIdentity } from 'node:tls'
import { escapeForTerminal } from '@sudoagent/crypto/text'
import { LedgerError } from '@sudoagent/ledger'

export interface Host {
  /** Host name, address, or the folder that contains the unix socket. */
  readonly name: string
  readonly port: number
}

export interface Target {
  readonly hosts: readonly Host[]
  readonly database: string | undefined
  readonly user: string | undefined
  readonly password: string | undefined
  /** The schema that contains the tables. */
  readonly schema: string
  /** The ledger in the database; null if the URL does not name one. */
  readonly ledger: string | null
  readonly tls: (host: Host) => ConnectionOptions | false
  /** The URL without a password, for messages. */
  readonly shown: string
}

const PORT_DEFAULT = 5432
const SCHEMA_DEFAULT = 'sudoagent'

/** Maximum number of servers in one URL: a primary and its standbys. */
const HOSTS_MAX = 8

/** Maximum length of a URL: eight host names and parameters. */
const URL_LENGTH_MAX = 4096

/** Whether a string is the URL of a PostgreSQL server rather than a file name. */
export function isPostgresUrl(text: string): boolean {
  return /^postgres(?:ql)?:\/\//i.test(text)
}

/** Whether a URL contains a password. Other users can see passwords on a command line. */
export function holdsPassword(url: string): boolean {
  const { authority, query } = split(url)
  return /:[^@]*@/.test(authority) || /(?:^|&)password=/i.test(query)
}

/** Masks the password in a URL, for messages. */
export function maskUrl(url: string): string {
  // The credentials end at the last `@`, because an unencoded password may contain `@`.
  const masked = url.replace(/^(postgres(?:ql)?:\/\/[^:@/]*):.*@/i, '$1:***@')
  return escapeForTerminal(masked.replace(/([?&]password=)[^&]*/gi, '$1***'))
}

/**
 * Parses a URL.
 *
 * @param env - PGHOST, PGPORT, PGUSER, PGDATABASE and PGPASSWORD complete the URL
 * @throws LedgerError LEDGER_NOT_FOUND for an invalid URL or name
 * @example parseTarget('postgres://agent@db.example.com/evidence?ledger=payments')
 */
export function parseTarget(url: string, env: { readonly [name: string]: string | undefined } = process.env): Target {
  const shown = maskUrl(url)
  const refuse = (why: string, hint = 'postgres://user@host:5432/database?ledger=name'): never => {
    throw new LedgerError('LEDGER_NOT_FOUND', `\`${shown}\` ${why}`, { hint })
  }
  if (!isPostgresUrl(url) || url.length > URL_LENGTH_MAX) return refuse('is not a PostgreSQL URL')
  const { authority, path, query } = split(url)
  const parameters = new URLSearchParams(query)
  const unknown = [...parameters.keys()].find((name) => !PARAMETERS.includes(name))
  if (unknown !== undefined)
    return refuse(`has an unknown parameter \`${unknown}\``, `the parameters are ${PARAMETERS.join(', ')}`)
  const [, user, password, places = ''] = /^(?:([^:@]*)(?::(.*))?@)?([^@]*)$/s.exec(authority) ?? []
  const hosts = (parameters.get('host') ?? (places || env.PGHOST || 'localhost'))
    .split(',')
    .map((place) => hostOf(place, env.PGPORT))
  if (hosts.includes(null) || hosts.length > HOSTS_MAX) return refuse('has an invalid host or port')
  const schema = parameters.get('schema') ?? SCHEMA_DEFAULT
  if (!isSchemaName(schema))
    return refuse(`has the invalid schema name \`${schema}\``, 'a schema name is in lower case, such as sudoagent')
  const ledger = parameters.get('ledger')
  if (ledger !== null && !isLedgerName(ledger)) {
    return refuse(`has the invalid ledger name \`${ledger}\``, LEDGER_NAME_HINT)
  }
  const tls = tlsOf(parameters.get('sslmode'), parameters.get('sslrootcert'), shown)
  return {
    hosts: hosts as Host[],
    database: decode(path) || env.PGDATABASE,
    user: decode(user ?? '') || env.PGUSER,
    password: (parameters.get('password') ?? decode(password ?? '')) || env.PGPASSWORD,
    schema,
    ledger,
    tls,
    shown,
  }
}

const LEDGER_NAME_HINT = 'a ledger name has 1 to 63 of the characters a-z, 0-9, `.`, `-` and `_`, such as payments.prod'

const PARAMETERS = ['ledger', 'schema', 'host', 'sslmode', 'sslrootcert', 'password']

/** Whether a string is a valid ledger name, such as `payments.prod`. */
export function isLedgerName(name: string): boolean {
  return /^[a-z0-9][a-z0-9._-]{0,62}$/.test(name)
}

/** Returns the same target with a different ledger. @throws LedgerError LEDGER_NOT_FOUND for an invalid name */
export function withLedger(target: Target, ledger: string): Target {
  const bare = target.shown.replace(/([?&])ledger=[^&]*&?/, '$1').replace(/[?&]$/, '')
  if (!isLedgerName(ledger)) {
    throw new LedgerError(
      'LEDGER_NOT_FOUND',
      `\`${bare}\`: \`${escapeForTerminal(ledger.slice(0, 80))}\` is not a valid ledger name`,
      {
        hint: LEDGER_NAME_HINT,
      },
    )
  }
  return { ...target, ledger, shown: `${bare}${bare.includes('?') ? '&' : '?'}ledger=${ledger}` }
}

/**
 * Returns the ledger name in a URL if the URL refers to the same database; null otherwise.
 *
 * @throws LedgerError LEDGER_NOT_FOUND for an invalid URL
 */
export function ledgerIn(database: string, url: string): string | null {
  const [here, there] = [parseTarget(database), parseTarget(url)]
  const placeOf = ({ hosts, database, schema }: Target): string => JSON.stringify([hosts, database, schema])
  return placeOf(here) === placeOf(there) ? there.ledger : null
}

/** Whether a string is a role name that PostgreSQL accepts. */
export function isRoleName(name: string): boolean {
  return name.length > 0 && Buffer.byteLength(name) <= 63 && !/[\p{Cc}\p{Cf}]/u.test(name)
}

/** Matches a valid schema name that leaves room for the longest role suffix within the 63 bytes of an identifier. */
function isSchemaName(name: string): boolean {
  return /^[a-z_][a-z0-9_]{0,39}$/.test(name) && !name.startsWith('pg_')
}

function split(url: string): { readonly authority: string; readonly path: string; readonly query: string } {
  const [, rest = '', query = ''] = /^postgres(?:ql)?:\/\/([^?]*)(?:\?(.*))?$/is.exec(url) ?? []
  // User and password end at the last `@` and may contain an unencoded slash.
  const at = rest.lastIndexOf('@') + 1
  const slash = rest.indexOf('/', at)
  return slash === -1
    ? { authority: rest, path: '', query }
    : { authority: rest.slice(0, slash), path: rest.slice(slash + 1), query }
}

function hostOf(place: string, portDefault: string | undefined): Host | null {
  const [, bracketed, plain = '', port] = /^(?:\[([^\]]*)\]|([^:]*))(?::(\d{1,5}))?$/.exec(place) ?? []
  const name = bracketed ?? decode(plain)
  const number = Number(port ?? portDefault ?? PORT_DEFAULT)
  if (name === '' || /[\s\0]/.test(name) || !Number.isInteger(number) || number < 1 || number > 65_535) return null
  return { name, port: number }
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** Whether the connection stays on this machine. */
function isLocal({ name }: Host): boolean {
  return name.startsWith('/') || name === 'localhost' || name === '::1' || /^127\./.test(name)
}

/**
 * Connections to any other host are encrypted and verified. Default: `verify-full`; `sslmode` in the URL selects a
 * different mode.
 */
function tlsOf(mode: string | null, rootCertificate: string | null, shown: string): Target['tls'] {
  if (mode !== null && !['disable', 'require', 'verify-full'].includes(mode)) {
    throw new LedgerError('LEDGER_NOT_FOUND', `\`${shown}\` has the unknown \`sslmode=${mode}\``, {
      hint: 'use `verify-full` (default for remote hosts), `require` (encrypted, not authenticated) or `disable`',
    })
  }
  if (rootCertificate !== null && (mode === 'disable' || mode === 'require')) {
    throw new LedgerError(
      'LEDGER_NOT_FOUND',
      `\`${shown}\` has \`sslrootcert\`, but \`sslmode=${mode}\` does not check certificates`,
      {
        hint: 'omit `sslmode`: certificates are checked if `sslrootcert` is set',
      },
    )
  }
  let ca: string | undefined
  return (host) => {
    if (mode === 'disable' || host.name.startsWith('/') || (mode === null && rootCertificate === null && isLocal(host)))
      return false
    if (mode === 'require') return { rejectUnauthorized: false }
    if (rootCertificate !== null) ca ??= authorityIn(rootCertificate, shown)
    return {
      rejectUnauthorized: true,
      ...(ca === undefined ? {} : { ca }),
      // The certificate is compared with the given host name or address. By default, Node would compare it with
      // `localhost` if the host is an address.
      checkServerIdentity: (_, certificate) => checkServerIdentity(host.name, certificate),
      ...(isIP(host.name) === 0 ? { servername: host.name } : {}),
    }
  }
}

/** Node accepts any bytes as a list of trusted CAs, and silently finds no CA in invalid data. */
function authorityIn(path: string, shown: string): string {
  const refuse = (why: string, cause?: unknown): never => {
    throw new LedgerError('LEDGER_NOT_READABLE', `\`${shown}\`: its \`sslrootcert\` \`${path}\` ${why}`, {
      hint: 'it must be a PEM file with the certificates of the trusted CAs',
      ...(cause === undefined ? {} : { cause }),
    })
  }
  try {
    const text = readFileSync(path, 'latin1')
    return text.includes('-----BEGIN CERTIFICATE-----') ? text : refuse('does not contain a certificate')
  } catch (error) {
    if (error instanceof LedgerError) throw error
    return refuse(`cannot be read: ${(error as { readonly code?: unknown }).code}`, error)
  }
}
