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
import type { Authority, StopScope } from '@sudoagent/crypto/entry'
import { matchesText } from '@sudoagent/crypto/text'

/** The part of a decision that a scope is compared with. */
export interface ScopedCall {
  readonly agentId: string
  readonly action: string
  readonly authority: Authority | null
}

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
