// The tools of one session's server: what it shows, and which of it may be called.
import { TOOL_PAGES_MAX, TOOLS_MAX } from './limits.js'
import { readDefinition, type ToolDefinition } from './tool-definition.js'
import type { ToolPins } from './tool-pins.js'

/** What stands in the way of calling a tool; null when nothing does. */
export interface ToolStanding {
  readonly digest: string | null
  readonly refusal: { readonly code: 'TOOL_UNKNOWN' | 'TOOL_DEFINITION_CHANGED'; readonly reason: string } | null
}

export interface CatalogueParts {
  readonly server: string
  readonly pins: ToolPins
  /** Asks the server for a page of its tools. */
  readonly listTools: (cursor: string | undefined) => Promise<object>
  readonly note: (text: string) => void
}

export class Catalogue {
  readonly #parts: CatalogueParts
  readonly #shown = new Map<string, ToolDefinition>()
  #fresh: Promise<void> | null = null

  constructor(parts: CatalogueParts) {
    this.#parts = parts
  }

  /** The server says that its tools have changed: before the next call they are read again. */
  expire(): void {
    this.#fresh = null
  }

  /**
   * Takes down the tools of a page, and leaves out those that have changed: their new text is what an attack would consist of.
   * The others are the server's own objects, untouched.
   */
  filterPage(page: object): object {
    const { tools } = page as { tools?: unknown }
    if (!Array.isArray(tools)) return page
    const kept = tools.filter((tool) => this.#take(tool))
    return kept.length === tools.length ? page : { ...page, tools: kept }
  }

  /** Whether a tool may be called. Reads the server's tools first where they are not known. @throws when they cannot be read */
  async standing(name: string): Promise<ToolStanding> {
    if (this.#fresh === null || !this.#shown.has(name)) await this.#refresh()
    const definition = this.#shown.get(name)
    if (definition === undefined) {
      return { digest: null, refusal: { code: 'TOOL_UNKNOWN', reason: 'the server shows no such tool' } }
    }
    const { digest } = definition
    if (this.#parts.pins.see(this.#parts.server, definition) === 'accepted') return { digest, refusal: null }
    const reason = 'the definition of the tool has changed since it was accepted'
    return { digest, refusal: { code: 'TOOL_DEFINITION_CHANGED', reason } }
  }

  #refresh(): Promise<void> {
    const reading = this.#readAll()
    this.#fresh = reading
    reading.catch(() => {
      if (this.#fresh === reading) this.#fresh = null
    })
    return reading
  }

  async #readAll(): Promise<void> {
    let cursor: string | undefined
    const seen = new Set<string>()
    for (let page = 0; page < TOOL_PAGES_MAX; page += 1) {
      const { tools, nextCursor } = (await this.#parts.listTools(cursor)) as { tools?: unknown; nextCursor?: unknown }
      for (const tool of Array.isArray(tools) ? tools : []) {
        const { name } = (tool ?? {}) as { name?: unknown }
        this.#take(tool)
        if (typeof name === 'string') seen.add(name)
      }
      if (typeof nextCursor !== 'string') {
        for (const name of this.#shown.keys()) if (!seen.has(name)) this.#shown.delete(name)
        return
      }
      cursor = nextCursor
    }
    throw new Error(`the server lists tools on more than ${TOOL_PAGES_MAX} pages`)
  }

  /** Whether the tool may be shown. */
  #take(tool: unknown): boolean {
    const definition = readDefinition(tool)
    if (definition === null || (this.#shown.size >= TOOLS_MAX && !this.#shown.has(definition.name))) {
      this.#parts.note('a tool without a definition that can be pinned was left out')
      return false
    }
    this.#shown.set(definition.name, definition)
    if (this.#parts.pins.see(this.#parts.server, definition) === 'accepted') return true
    this.#parts.note(`the definition of tool \`${definition.name}\` has changed: it is refused until it is accepted`)
    return false
  }
}
