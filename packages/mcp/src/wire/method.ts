// What passes the guard, and in which direction. Whatever is not here is refused.

/** What a deployment may switch off; tools cannot be: they are what is guarded. */
export const FEATURES = ['resources', 'prompts', 'completion', 'logging', 'sampling', 'roots', 'elicitation'] as const

/** Not passed unless they are named: what a server hands out with them is read without a decision. */
export const BLOCKED_BY_DEFAULT: readonly Feature[] = ['resources', 'prompts', 'completion']

export type Feature = (typeof FEATURES)[number]

/** Of each method: which feature it belongs to, or null for what every session needs. */
type Methods = ReadonlyMap<string, Feature | null>

/** Requests of the client that are handed to the server as they are. `initialize`, `tools/list` and `tools/call` are not. */
export const CLIENT_REQUESTS: Methods = new Map([
  ['ping', null],
  ['resources/list', 'resources'],
  ['resources/templates/list', 'resources'],
  ['resources/read', 'resources'],
  ['resources/subscribe', 'resources'],
  ['resources/unsubscribe', 'resources'],
  ['prompts/list', 'prompts'],
  ['prompts/get', 'prompts'],
  ['completion/complete', 'completion'],
  ['logging/setLevel', 'logging'],
])

/** Cancellation and progress are translated, so they are in neither list of notifications. */
export const CLIENT_NOTIFICATIONS: Methods = new Map([
  ['notifications/initialized', null],
  ['notifications/roots/list_changed', 'roots'],
])

export const SERVER_REQUESTS: Methods = new Map([
  ['ping', null],
  ['sampling/createMessage', 'sampling'],
  ['roots/list', 'roots'],
  ['elicitation/create', 'elicitation'],
])

export const SERVER_NOTIFICATIONS: Methods = new Map([
  ['notifications/message', 'logging'],
  ['notifications/tools/list_changed', null],
  ['notifications/resources/updated', 'resources'],
  ['notifications/resources/list_changed', 'resources'],
  ['notifications/prompts/list_changed', 'prompts'],
  ['notifications/elicitation/complete', 'elicitation'],
])

const SERVER_CAPABILITIES: Methods = new Map([
  ['tools', null],
  ['resources', 'resources'],
  ['prompts', 'prompts'],
  ['completions', 'completion'],
  ['logging', 'logging'],
])

const CLIENT_CAPABILITIES: Methods = new Map([
  ['sampling', 'sampling'],
  ['roots', 'roots'],
  ['elicitation', 'elicitation'],
])

export const passes = (methods: Methods, method: string, blocked: ReadonlySet<Feature>): boolean => {
  const feature = methods.get(method)
  return feature !== undefined && (feature === null || !blocked.has(feature))
}

/**
 * What one side says it can, without what the guard does not pass: tasks and experimental capabilities among them. A capability that nobody
 * hears of is not asked for.
 */
export function filterCapabilities(
  side: 'client' | 'server',
  capabilities: unknown,
  blocked: ReadonlySet<Feature>,
): Record<string, unknown> {
  if (typeof capabilities !== 'object' || capabilities === null) return {}
  const known = side === 'client' ? CLIENT_CAPABILITIES : SERVER_CAPABILITIES
  return Object.fromEntries(Object.entries(capabilities).filter(([name]) => passes(known, name, blocked)))
}
