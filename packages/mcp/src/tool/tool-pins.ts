import type { Hash } from '@sudoagent/crypto'
import type { ToolDefinition } from './tool-definition.js'

/** A known definition and its state. */
export interface ToolPin {
  readonly server: string
  /** The tool name; empty for the server's instructions and name. */
  readonly tool: string
  readonly digest: Hash
  /** The definition as canonical JSON, for review. */
  readonly definition: string
  readonly state: 'accepted' | 'changed'
  readonly seenAt: Date
}

/** Identifies the definition that a person reviewed. */
export type SeenDefinition = Pick<ToolPin, 'server' | 'tool' | 'digest'>

/**
 * State of a definition: `accepted`; `changed`, if the tool has a different accepted definition; or `new`, if the
 * tool has no accepted definition.
 */
export type SeenState = ToolPin['state'] | 'new'

/**
 * Stores the accepted definition of each tool: the first definition seen. Any other definition is `changed` until a
 * person accepts it. The methods are synchronous, because calls wait for their results.
 */
export interface ToolPins {
  /**
   * Records a definition and returns whether its tool can be called.
   *
   * @param first - state of the tool's first definition: `changed` if a person must accept it
   * @throws if the state cannot be determined
   */
  see(server: string, definition: ToolDefinition, first?: ToolPin['state']): SeenState
  /**
   * Accepts all of the given changed definitions, or none.
   *
   * @returns false if a given definition is no longer the changed definition of its tool; in this case, no
   *   definition is accepted
   */
  acceptExactly(definitions: readonly SeenDefinition[]): boolean
  /**
   * Accepts all definitions that are `changed` now, of one tool or of all tools, even if no person reviewed them.
   * @returns the newly accepted definitions
   */
  accept(server: string, tool?: string): readonly ToolPin[]
  list(server?: string): readonly ToolPin[]
  close(): void
}

/** Wraps a store of pins so that every changed definition is accepted as soon as it is seen. */
export function acceptAll(pins: ToolPins): ToolPins {
  return {
    see(server, definition) {
      if (pins.see(server, definition) === 'accepted') return 'accepted'
      const { name: tool, digest } = definition
      return pins.acceptExactly([{ server, tool, digest }]) ? 'accepted' : 'changed'
    },
    acceptExactly: (definitions) => pins.acceptExactly(definitions),
    accept: (server, tool) => pins.accept(server, tool),
    list: (server) => pins.list(server),
    close: () => pins.close(),
  }
}

/** Stores pins in memory, for a single process and for tests. */
export class MemoryToolPins implements ToolPins {
  readonly #pins = new Map<string, ToolPin>()

  see(
    server: string,
    { name: tool, digest, text: definition }: ToolDefinition,
    first: ToolPin['state'] = 'accepted',
  ): SeenState {
    const known = this.#pins.get(key(server, tool, 'accepted'))
    if (known?.digest === digest) return 'accepted'
    const isFirst = known === undefined && !this.#pins.has(key(server, tool, 'changed'))
    const state = isFirst ? first : 'changed'
    this.#pins.set(key(server, tool, state), { server, tool, digest, definition, state, seenAt: new Date() })
    return state === 'changed' && known === undefined ? 'new' : state
  }

  acceptExactly(definitions: readonly SeenDefinition[]): boolean {
    const found = definitions.map(({ server, tool }) => this.#pins.get(key(server, tool, 'changed')))
    if (!found.every((pin, index) => pin !== undefined && pin.digest === definitions[index]?.digest)) return false
    for (const pin of found) if (pin !== undefined) this.#accept(pin)
    return true
  }

  accept(server: string, tool?: string): readonly ToolPin[] {
    return this.list(server)
      .filter((pin) => pin.state === 'changed' && (tool ?? pin.tool) === pin.tool)
      .map((pin) => this.#accept(pin))
  }

  list(server?: string): readonly ToolPin[] {
    return [...this.#pins.values()].filter((pin) => (server ?? pin.server) === pin.server)
  }

  close(): void {}

  #accept(pin: ToolPin): ToolPin {
    const accepted = { ...pin, state: 'accepted' } as const
    this.#pins.delete(key(pin.server, pin.tool, 'changed'))
    this.#pins.set(key(pin.server, pin.tool, 'accepted'), accepted)
    return accepted
  }
}

const key = (server: string, tool: string, state: string): string => JSON.stringify([server, tool, state])
