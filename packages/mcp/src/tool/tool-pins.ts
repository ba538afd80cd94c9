import type { Hash } from '@sudoagent/crypto'
import type { ToolDefinition } from './tool-definition.js'

/** A definition that was seen, and whether it may be used. */
export interface ToolPin {
  readonly server: string
  /** Name of the tool; empty for what the server says of itself. */
  readonly tool: string
  readonly digest: Hash
  /** The definition as canonical JSON, for a person to look at. */
  readonly definition: string
  readonly state: 'accepted' | 'changed'
  readonly seenAt: Date
}

/** One definition, exactly: what a person looked at. */
export type SeenDefinition = Pick<ToolPin, 'server' | 'tool' | 'digest'>

/** What a definition is when it is seen: accepted, another one than the accepted one, or of a tool of which none was accepted. */
export type SeenState = ToolPin['state'] | 'new'

/**
 * Which definition of each tool is accepted. The first one that is seen of a tool is; every other one is `changed`, and stays so until
 * somebody accepts it. Synchronous: a call waits for the answer.
 */
export interface ToolPins {
  /**
   * Takes down a definition that a server shows, and says whether its tool may be called.
   *
   * @param first - what becomes of the first definition of a tool: `changed` where somebody has to accept it
   * @throws when that cannot be found out
   */
  see(server: string, definition: ToolDefinition, first?: ToolPin['state']): SeenState
  /**
   * Accepts these changed definitions, all of them or none.
   *
   * @returns whether they were accepted; false, and nothing is accepted, when one of them is not the changed one any more
   */
  acceptExactly(definitions: readonly SeenDefinition[]): boolean
  /** Accepts what is `changed` at this moment, of one tool or of all, seen by a person or not. @returns what was accepted */
  accept(server: string, tool?: string): readonly ToolPin[]
  list(server?: string): readonly ToolPin[]
  close(): void
}

/** The same pins, for a guard that is told to accept whatever the server shows: a changed definition is accepted as it is seen. */
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

/** For one process, and for tests. */
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
