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

import { type Hash, sha256Hex } from '../bytes/hash.js'
import { encodeCanonical } from '../json.js'
import { closedMisfit, type Fields, oneOf, optional, own, shapeOf, text } from './fields.js'

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

const label = text(AUTHORITY_TEXT_LENGTH_MAX, 1)

/** Whether a value is a valid id or issuer: 1–256 characters, none of them a control character. */
export function isAuthorityId(value: unknown): value is string {
  return label(value) && !/\p{Cc}/u.test(value as string)
}

/** Whether a value is the base64url form of 32 bytes; the last character has two unused bits, which are 0. */
export const isThumbprint = (value: unknown): boolean =>
  typeof value === 'string' && /^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/.test(value)

const EVIDENCE = shapeOf({ kind: oneOf('jwt'), key: isThumbprint })
const SUBJECT = shapeOf({
  id: isAuthorityId,
  type: oneOf('user', 'service'),
  issuer: optional(isAuthorityId),
  assurance: oneOf('asserted', 'verified'),
  evidence: () => true,
})
const DELEGATE = shapeOf({ id: isAuthorityId, issuer: optional(isAuthorityId) })
const AUTHORITY = shapeOf({
  on_behalf_of: () => true,
  tenant: optional(label),
  session: optional(label),
  delegation: optional((value) => Array.isArray(value) && value.length >= 1 && value.length <= DELEGATION_MAX),
})

/**
 * Checks the member `authority` of an entry.
 *
 * @param value - undefined if the entry does not have the member, which is valid
 * @returns the path of the first invalid member; null if the authority is valid
 * @example authorityMisfit({ tenant: '' }) // 'authority.tenant'
 */
export function authorityMisfit(value: unknown): string | null {
  const path = 'authority'
  if (value === undefined) return null
  const shallow = closedMisfit(value, AUTHORITY, path)
  if (shallow !== null) return shallow
  const authority = value as Fields
  if (Object.keys(authority).length === 0) return path
  const delegation = (own(authority, 'delegation') ?? []) as readonly unknown[]
  return (
    subjectMisfit(own(authority, 'on_behalf_of'), `${path}.on_behalf_of`) ??
    delegation.map((item, n) => closedMisfit(item, DELEGATE, `${path}.delegation[${n}]`)).find((at) => at !== null) ??
    null
  )
}

function subjectMisfit(subject: unknown, path: string): string | null {
  if (subject === undefined) return null
  const shallow = closedMisfit(subject, SUBJECT, path)
  if (shallow !== null) return shallow
  const [assurance, issuer, evidence] = ['assurance', 'issuer', 'evidence'].map((name) => own(subject as Fields, name))
  if (assurance === 'verified' && issuer === undefined) return `${path}.issuer`
  if (assurance === 'verified' && evidence === undefined) return `${path}.evidence`
  return evidence === undefined ? null : closedMisfit(evidence, EVIDENCE, `${path}.evidence`)
}

/** Computes `authority_hash`: SHA-256 of the canonical authority; null for a call without one. */
export const hashAuthority = (authority: Authority | null): Hash | null =>
  authority === null ? null : sha256Hex(encodeCanonical(authority))

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
