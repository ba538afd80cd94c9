/**
 * The authority of a call: for whom the agent called. A decision entry has the member `authority`, unless nothing is
 * known about it:
 *
 *     {"delegation":[{"id":"agent-1"},{"id":"agent-2"}],
 *      "on_behalf_of":{"assurance":"asserted","id":"alice","type":"user"},
 *      "session":"chat-7","tenant":"acme"}
 *
 * `delegation[0]` was called by the subject, and the last one is the caller of the agent (RFC 8693, `act`, from the
 * inside out). The shape is closed: every additional member is invalid, because a reader would not see it.
 */

/** Maximum length of an id, an issuer, a tenant and a session, in UTF-16 code units. */
export const AUTHORITY_TEXT_LENGTH_MAX = 256
export const DELEGATION_MAX = 8

/** The person or service on whose behalf the agent acts. */
export interface Subject {
  readonly id: string
  readonly type: 'user' | 'service'
  /** The party that assigns the id, such as the issuer of a token. */
  readonly issuer?: string
  /** `verified`: the operator checked a token of the issuer. `asserted`: the agent's process says so. */
  readonly assurance: 'asserted' | 'verified'
  /** `key` is the RFC 7638 thumbprint of the key that signed the token. */
  readonly evidence?: { readonly kind: 'jwt'; readonly key: string }
}

/** An agent or service between the subject and the agent. */
export interface Delegate {
  readonly id: string
  readonly issuer?: string
}

/** The member `authority` of an entry; at least one member is present. */
export interface Authority {
  readonly on_behalf_of?: Subject
  readonly tenant?: string
  readonly session?: string
  readonly delegation?: readonly Delegate[]
}

type Check = (value: unknown) => boolean
type Shape = { readonly [member: string]: { readonly check: Check; readonly isOptional?: true } }

/** Whether a value is a valid id or issuer: 1–256 characters, none of them a control character. */
export function isAuthorityId(value: unknown): value is string {
  return isText(value) && !/\p{Cc}/u.test(value)
}

const isText = (value: unknown): value is string =>
  typeof value === 'string' && value.length >= 1 && value.length <= AUTHORITY_TEXT_LENGTH_MAX

/** Whether a value is the base64url form of 32 bytes; the last character has two unused bits, which are 0. */
export const isThumbprint = (value: unknown): boolean =>
  typeof value === 'string' && /^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/.test(value)

const EVIDENCE: Shape = {
  kind: { check: (value) => value === 'jwt' },
  key: { check: isThumbprint },
}
const SUBJECT: Shape = {
  id: { check: isAuthorityId },
  type: { check: (value) => value === 'user' || value === 'service' },
  issuer: { check: isAuthorityId, isOptional: true },
  assurance: { check: (value) => value === 'asserted' || value === 'verified' },
  evidence: { check: () => true, isOptional: true },
}
const DELEGATE: Shape = {
  id: { check: isAuthorityId },
  issuer: { check: isAuthorityId, isOptional: true },
}
const AUTHORITY: Shape = {
  on_behalf_of: { check: () => true, isOptional: true },
  tenant: { check: isText, isOptional: true },
  session: { check: isText, isOptional: true },
  delegation: {
    check: (value) => Array.isArray(value) && value.length >= 1 && value.length <= DELEGATION_MAX,
    isOptional: true,
  },
}

type Fields = { readonly [member: string]: unknown }

const own = (value: unknown, member: string): unknown =>
  Object.hasOwn(value as Fields, member) ? (value as Fields)[member] : undefined

/** The path of the first invalid member of an object with a closed shape. */
function misfit(value: unknown, shape: Shape, path: string): string | null {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return path
  const unknown = Object.keys(value).find((member) => !Object.hasOwn(shape, member))
  if (unknown !== undefined) return `${path}.${unknown}`
  for (const [member, { check, isOptional }] of Object.entries(shape)) {
    const found = own(value, member)
    if (found === undefined ? isOptional !== true : !check(found)) return `${path}.${member}`
  }
  return null
}

/**
 * Checks the member `authority` of an entry.
 *
 * @returns the path of the first invalid member; null if the authority is valid
 * @example authorityMisfit({ tenant: '' }) // 'authority.tenant'
 */
export function authorityMisfit(value: unknown): string | null {
  const path = 'authority'
  const shallow = misfit(value, AUTHORITY, path)
  if (shallow !== null) return shallow
  if (Object.keys(value as object).length === 0) return path
  const subject = own(value, 'on_behalf_of')
  const delegation = own(value, 'delegation') as readonly unknown[] | undefined
  return (
    (subject === undefined ? null : subjectMisfit(subject, `${path}.on_behalf_of`)) ??
    delegation?.map((item, n) => misfit(item, DELEGATE, `${path}.delegation[${n}]`)).find((at) => at !== null) ??
    null
  )
}

function subjectMisfit(subject: unknown, path: string): string | null {
  const shallow = misfit(subject, SUBJECT, path)
  if (shallow !== null) return shallow
  const [evidence, issuer] = [own(subject, 'evidence'), own(subject, 'issuer')]
  if (own(subject, 'assurance') === 'verified') {
    if (issuer === undefined) return `${path}.issuer`
    if (evidence === undefined) return `${path}.evidence`
  }
  return evidence === undefined ? null : misfit(evidence, EVIDENCE, `${path}.evidence`)
}

/**
 * An authority as rows for people: a name, and an unescaped value. Rows without a name continue the one before.
 *
 * @example authorityRows({ tenant: 'acme' }) // [['tenant', 'acme']]
 */
export function authorityRows(authority: Authority): [name: string, value: string][] {
  const { on_behalf_of: subject, tenant, session, delegation = [] } = authority
  const named = ({ id, issuer }: Delegate): string => (issuer === undefined ? id : `${id} (issuer ${issuer})`)
  const rows: [string, string][] = []
  if (subject !== undefined) rows.push(['for', `${subject.type} ${named(subject)}, ${subject.assurance}`])
  for (const [n, delegate] of delegation.entries()) rows.push([n === 0 ? 'through' : '', named(delegate)])
  if (tenant !== undefined) rows.push(['tenant', tenant])
  if (session !== undefined) rows.push(['session', session])
  return rows
}
