import type { Hash } from '@sudoagent/crypto'
import type { ToolDefinition } from './tool-definition.js'

/** A definition that was seen, and whether it may be used. */
export interface ToolPin {
  readonly server: string
  readonly tool: string
  readonly digest: Hash
  /** The definition as canonical JSON, for a person to look at. */
  readonly definition: string
  readonly state: 'accepted' | 'changed'
  readonly seenAt: Date
}

/**
 * Which definition of each tool is accepted. The first one that is seen of a tool is; every other one is `changed`, and stays so until
 * somebody accepts it. Synchronous: a call waits for the answer.
 */
export interface ToolPins {
  /** Takes down a definition that a server shows, and says whether its tool may be called. @throws when that cannot be found out */
  see(server: string, definition: ToolDefinition): ToolPin['state']
  /** Accepts what is `changed`, of one tool or of all. @returns what was accepted */
  accept(server: string, tool?: string): readonly ToolPin[]
  list(server?: string): readonly ToolPin[]
  close(): void
}

/** The same pins, for a guard that is told to accept whatever the server shows: a changed definition is accepted as it is seen. */
export function acceptAll(pins: ToolPins): ToolPins {
  return {
    see(server, definition) {
      if (pins.see(server, definition) === 'changed') pins.accept(server, definition.name)
      return 'accepted'
    },
    accept: (server, tool) => pins.accept(server, tool),
    list: (server) => pins.list(server),
    close: () => pins.close(),
  }
}

/** For one process, and for tests. */
export class MemoryToolPins implements ToolPins {
  readonly #pins = new Map<string, ToolPin>()

  see(server: string, { name: tool, digest, text: definition }: ToolDefinition): ToolPin['state'] {
    const known = this.#pins.get(key(server, tool, 'accepted'))
    if (known?.digest === digest) return 'accepted'
    const state = known === undefined ? 'accepted' : 'changed'
    this.#pins.set(key(server, tool, state), { server, tool, digest, definition, state, seenAt: new Date() })
    return state
  }

  accept(server: string, tool?: string): readonly ToolPin[] {
    const changed = this.list(server).filter((pin) => pin.state === 'changed' && (tool ?? pin.tool) === pin.tool)
    return changed.map((pin) => {
      const accepted = { ...pin, state: 'accepted' } as const
      this.#pins.delete(key(server, pin.tool, 'changed'))
      this.#pins.set(key(server, pin.tool, 'accepted'), accepted)
      return accepted
    })
  }

  list(server?: string): readonly ToolPin[] {
    return [...this.#pins.values()].filter((pin) => (server ?? pin.server) === pin.server)
  }

  close(): void {}
}

const key = (server: string, tool: string, state: string): string => JSON.stringify([server, tool, state])
