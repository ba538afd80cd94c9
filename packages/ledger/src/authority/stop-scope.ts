// The scope of a stop: which calls it covers (LEDGER-FORMAT §5, `stop`).
//
//   {"all":true}                                   every call
//   {"agent":"billing-*"}                          every call of these agents
//   {"action":"payments.*","tenant":"acme"}        these actions, if the call is for this tenant
//
// All members of a scope must match. `agent` and `action` are patterns: `*` matches any characters, `/` included, and
// `?` matches one character. All other members are compared as they are. Everything is compared on the entry as it is
// written, in NFC and by code point, so two spellings of a name are one name, and look-alike letters are not.
//
//   covers({ agent: 'b*' }, call)   call.agentId 'billing' → true, 'Billing' → false
//
// A member that the call does not have does not match. An agent states its own tenant, session and subject, so an
// agent that is not trusted is stopped by `agent` or `all`.
import { type Authority, isAuthorityId } from '@sudoagent/crypto/entry'
import { matchesText } from '@sudoagent/crypto/text'
import { SCOPE_TEXT_LENGTH_MAX } from '../limits.js'

/** Either `all`, or one to five of the other members. */
export interface StopScope {
  readonly all?: true
  /** Pattern of `agent_id`. */
  readonly agent?: string
  /** Pattern of `action`. */
  readonly action?: string
  /** Without `issuer`, the issuer of the call's subject may be any. */
  readonly on_behalf_of?: { readonly id: string; readonly issuer?: string }
  readonly tenant?: string
  readonly session?: string
}

/** The part of a decision that a scope is compared with. */
export interface ScopedCall {
  readonly agentId: string
  readonly action: string
  readonly authority: Authority | null
}

const TEXTS = ['agent', 'action', 'tenant', 'session'] as const
const MEMBERS: readonly string[] = [...TEXTS, 'on_behalf_of']

/** Whether a value is a scope. The shape is closed: an unknown member would narrow the stop for some readers only. */
export function isStopScope(value: unknown): value is StopScope {
  if (!isPlain(value)) return false
  const names = Object.keys(value)
  if (names.includes('all')) return names.length === 1 && value.all === true
  if (names.length === 0 || !names.every((name) => MEMBERS.includes(name))) return false
  const texts = TEXTS.filter((name) => Object.hasOwn(value, name))
  return texts.every((name) => isText(value[name])) && (!Object.hasOwn(value, 'on_behalf_of') || isSubject(value))
}

function isSubject({ on_behalf_of: subject }: { readonly [name: string]: unknown }): boolean {
  if (!isPlain(subject) || !Object.keys(subject).every((name) => name === 'id' || name === 'issuer')) return false
  const hasIssuer = Object.hasOwn(subject, 'issuer')
  return Object.hasOwn(subject, 'id') && isAuthorityId(subject.id) && (!hasIssuer || isAuthorityId(subject.issuer))
}

const isPlain = (value: unknown): value is { readonly [name: string]: unknown } =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const isText = (value: unknown): boolean =>
  typeof value === 'string' && value.length >= 1 && value.length <= SCOPE_TEXT_LENGTH_MAX

/** A scope in NFC, with its members in a fixed order and nothing else, so that equal scopes have equal JSON. */
export function normalScope(scope: StopScope): StopScope {
  if (scope.all === true) return { all: true }
  const nfc = (text: string | undefined): string | undefined => text?.normalize('NFC')
  const { id, issuer } = scope.on_behalf_of ?? {}
  const subject = id === undefined ? undefined : compact({ id: nfc(id), issuer: nfc(issuer) })
  return compact({
    action: nfc(scope.action),
    agent: nfc(scope.agent),
    on_behalf_of: subject,
    session: nfc(scope.session),
    tenant: nfc(scope.tenant),
  }) as StopScope
}

const compact = (members: { readonly [name: string]: unknown }): object =>
  Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined))

export const isSameScope = (a: StopScope, b: StopScope): boolean =>
  JSON.stringify(normalScope(a)) === JSON.stringify(normalScope(b))

/** Whether a stop with this scope covers a call. */
export function covers(scope: StopScope, { agentId, action, authority }: ScopedCall): boolean {
  if (scope.all === true) return true
  const { agent, action: actions, on_behalf_of: subject, tenant, session } = scope
  if (tenant !== undefined && tenant !== authority?.tenant) return false
  if (session !== undefined && session !== authority?.session) return false
  if (subject !== undefined && subject.id !== authority?.on_behalf_of?.id) return false
  if (subject?.issuer !== undefined && subject.issuer !== authority?.on_behalf_of?.issuer) return false
  return (agent === undefined || matches(agent, agentId)) && (actions === undefined || matches(actions, action))
}

const matches = (pattern: string, text: string): boolean => pattern === '*' || matchesText([...pattern], text)

/**
 * A scope as text for people, unescaped.
 *
 * @example scopeText({ agent: 'billing-*', tenant: 'acme' }) // 'agent billing-*, tenant acme'
 */
export function scopeText({ all, agent, action, on_behalf_of: subject, tenant, session }: StopScope): string {
  if (all === true) return 'all calls'
  const { id, issuer } = subject ?? {}
  const parts: readonly (readonly [string, string | undefined])[] = [
    ['agent', agent],
    ['action', action],
    ['on behalf of', id === undefined || issuer === undefined ? id : `${id} (issuer ${issuer})`],
    ['tenant', tenant],
    ['session', session],
  ]
  return parts.flatMap(([name, value]) => (value === undefined ? [] : [`${name} ${value}`])).join(', ')
}
