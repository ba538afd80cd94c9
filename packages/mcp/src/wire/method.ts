// Lists the methods that the guard forwards in each direction. All other methods are refused.

/** Features that a deployment can block. Tools are not listed, because the guard decides on each tool call. */
export const FEATURES = ['resources', 'prompts', 'completion', 'logging', 'sampling', 'roots', 'elicitation'] as const

/** Features that are blocked by default, because the model would read their content without a decision. */
export const BLOCKED_BY_DEFAULT: readonly Feature[] = ['resources', 'prompts', 'completion']

export type Feature = (typeof FEATURES)[number]

/** Maps each method to its feature; null for methods that every session needs. */
type Methods = ReadonlyMap<string, Feature | null>

/**
 * Client requests that are forwarded unchanged. `initialize`, `tools/list` and `tools/call` are handled separately.
 */
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

/** Cancellation and progress notifications are translated, so neither list contains them. */
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
 * Removes the capabilities that the guard does not forward, including tasks and experimental capabilities. The
 * other side does not use a capability that it does not see.
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
