/**
 * The blocks of `stop` and `resume` entries. A stop denies the calls that its scope covers, until a resume ends it:
 *
 *     {"by":"alice","kind":"stop","reason":"wrong prices","scope":{"agent":"billing-*"},"stop_id":"b7f2…"}
 *     {"by":"alice","kind":"resume","reason":"fixed","stop_id":"b7f2…"}
 *
 *     {"all":true}                                   every call
 *     {"agent":"billing-*"}                          every call of these agents
 *     {"action":"payments.*","tenant":"acme"}        these actions, if the call is for this tenant
 *
 * All members of a scope must match. `agent` and `action` are patterns.
 */
import { encodeCanonical } from '../json/encode.js'
import { isAuthorityId } from './authority.js'
import { type Check, type Fields, isObject, misfit, own, shapeOf, text } from './fields.js'

/** Maximum length of a text in the scope of a stop, in UTF-16 units. */
export const SCOPE_TEXT_LENGTH_MAX = 256

/** Maximum length of the reason of a stop or of a resume, and of the name of who gave it, in UTF-16 units. */
export const CONTROL_REASON_LENGTH_MAX = 1_024
export const CONTROL_BY_LENGTH_MAX = 256

/** Maximum length of the block of a `stop`, `resume` or `asked` entry, in bytes of canonical JSON. */
const CONTROL_BYTES_MAX = 64 * 1024

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

/** From this entry on, no call that the scope covers can be allowed, until a `resume` ends the stop. */
export interface Stop {
  readonly kind: 'stop'
  /** A UUIDv4. */
  readonly stop_id: string
  readonly scope: StopScope
  readonly reason: string
  /** The name of who stopped the calls, as given by the writer. */
  readonly by: string
}

/** Ends a stop. */
export interface Resume {
  readonly kind: 'resume'
  readonly stop_id: string
  readonly reason: string
  readonly by: string
}

const isScopeText = text(SCOPE_TEXT_LENGTH_MAX, 1)

/** All members of a subject are strings, so a member that is `undefined` does not fit, either. */
function isSubject(value: unknown): boolean {
  if (!isObject(value) || !Object.hasOwn(value, 'id')) return false
  return Object.entries(value).every(([name, id]) => (name === 'id' || name === 'issuer') && isAuthorityId(id))
}

const SCOPE: ReadonlyMap<string, Check> = new Map([
  ['agent', isScopeText],
  ['action', isScopeText],
  ['on_behalf_of', isSubject],
  ['tenant', isScopeText],
  ['session', isScopeText],
])

/** Whether a value is a scope. The shape is closed: an unknown member would narrow the stop for some readers only. */
export function isStopScope(value: unknown): value is StopScope {
  if (!isObject(value)) return false
  const members = Object.entries(value)
  if (Object.hasOwn(value, 'all')) return members.length === 1 && value.all === true
  return members.length > 0 && members.every(([name, member]) => SCOPE.get(name)?.(member) === true)
}

const UUID_V4 = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

const NOTE = shapeOf({
  stop_id: (value) => typeof value === 'string' && UUID_V4.test(value),
  reason: text(CONTROL_REASON_LENGTH_MAX),
  by: text(CONTROL_BY_LENGTH_MAX, 1),
})

/** Whether a block has the form of a stop. */
export const isStop = (block: Fields): boolean => isResume(block) && isStopScope(own(block, 'scope'))

/** Whether a block has the form of a resume. */
export const isResume = (block: Fields): boolean => misfit(block, NOTE, '') === null && hasControlSize(block)

const encoder = new TextEncoder()

/**
 * Whether a block is within the limit of bytes. Members that a later version may add are accepted, so the length is
 * limited as a whole.
 *
 * @returns false for a value without a canonical form, such as a draft may have
 */
export function hasControlSize(block: Fields): boolean {
  try {
    return encoder.encode(encodeCanonical(block)).length <= CONTROL_BYTES_MAX
  } catch {
    return false
  }
}

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

/** A stop or a resume as rows for people: a name, and an unescaped value. */
export function stopRows(block: Stop | Resume): [name: string, value: string][] {
  return [
    ...(block.kind === 'stop' ? [['covers', scopeText(block.scope)] as [string, string]] : []),
    ['reason', block.reason],
    ['by', block.by],
    ['stop id', block.stop_id],
  ]
}
