import type { Hash } from '@sudoagent/crypto'
import type { ToolDefinition } from './tool-definition.js'

/** A known definition and its state. */
export interface ToolPin {
  readonly server: string
  /** Name of the tool; empty for the server's instructions and name. */
  readonly tool: string
  readonly digest: Hash
  /** The definition as canonical JSON, for review. */
  readonly definition: string
  readonly state: 'accepted' | 'changed'
  readonly seenAt: Date
}

/** Identifies the definition that a person reviewed. */
export type SeenDefinition = Pick<ToolPin, 'server' | 'tool' | 'digest'>

/** State of a definition: accepted, different from the accepted one, or of a tool without an accepted definition. */
export type SeenState = ToolPin['state'] | 'new'

/**
 * Stores which definition of each tool is accepted: the first one seen. Any other is `changed` until a person
 * accepts it. Synchronous, because calls wait for it.
 */
export interface ToolPins {
  /**
   * Records a definition and returns whether its tool can be called.
   *
   * @param first - state of the first definition of a tool: `changed` if a person must accept it
   * @throws if the state cannot be determined
   */
  see(server: string, definition: ToolDefinition, first?: ToolPin['state']): SeenState
  /**
   * Accepts the given changed definitions: all or none.
   *
   * @returns false, and accepts none, if one of them is no longer the changed definition
   */
  acceptExactly(definitions: readonly SeenDefinition[]): boolean
  /**
   * Accepts all definitions that are `changed` now, of one tool or of all, reviewed or not. @returns the accepted
   * ones
   */
  accept(server: string, tool?: string): readonly ToolPin[]
  list(server?: string): readonly ToolPin[]
  close(): void
}

/** Wraps pins so that every changed definition is accepted as soon as it is seen. */
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

/** Pins in memory, for one process and for tests. */
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
