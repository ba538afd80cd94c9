/**
 * Tracks the server's tools in one session: which tools the client sees, and which tools can be called.
 *
 * A server can change a tool after a person has read its description ("rug pull"). The guard therefore computes a
 * digest of the canonical JSON of each definition (`tool-definition.ts`) and pins the accepted digests
 * (`tool-pins.ts`):
 *
 *   accepted   the first digest seen for the tool, or a digest that a person accepted: shown and callable
 *   changed    any other digest: denied with TOOL_DEFINITION_CHANGED until `sudoagent mcp accept`
 *
 * A definition is valid only for the listing that contained it. `list_changed` starts a new generation: no call is
 * sent until the tools have been listed again.
 *
 *   listing 1: read_file, digest 9c1f…          accepted, because it is the first
 *   listing 2: read_file, digest 52ab…          hidden from the client; a call is denied with TOOL_DEFINITION_CHANGED
 */
import { LISTING_AGE_MIN_MS, LISTINGS_PER_CALL_MAX, TOOL_PAGES_MAX, TOOLS_MAX } from '../limits.js'
import { copySpelling } from '../wire/exact-json.js'
import { readDefinition, readToolName, SERVER_ENTRY, type ToolDefinition } from './tool-definition.js'
import type { SeenState, ToolPins } from './tool-pins.js'

type ToolRefusal = 'TOOL_UNKNOWN' | 'TOOL_DEFINITION_CHANGED' | 'TOOL_NOT_ACCEPTED'

/** The status of a tool; `refusal` is null if the tool can be called. */
export interface ToolStatus {
  readonly digest: string | null
  /** The schema in the accepted definition. */
  readonly inputSchema?: unknown
  readonly refusal: { readonly code: ToolRefusal; readonly reason: string } | null
}

export interface CatalogueParts {
  readonly server: string
  readonly pins: ToolPins
  /** Whether new tools of a known server are accepted automatically. */
  readonly newTools: boolean
  /** Selects tools, by name, that are hidden from the client because no call of these tools is ever allowed. */
  readonly isHidden: (name: string) => boolean
  /** Requests a page of tools from the server. */
  readonly listTools: (cursor: string | undefined) => Promise<object>
  readonly note: (text: string) => void
}

/** A tool in the latest listing; null if its definition cannot be pinned. */
type Shown = ToolDefinition | null

/** A complete listing of the server's tools, in progress or finished. */
interface Listing {
  readonly generation: number
  /** Rejects if the tools could not be read; later calls reuse the failure. */
  readonly done: Promise<void>
  endedAt: number | null
}

export class Catalogue {
  readonly #parts: CatalogueParts
  #shown = new Map<string, Shown>()
  #generation = 0
  /** The generation whose tools were read completely. */
  #complete = -1
  #listing: Listing | null = null
  /** Whether the server already had accepted tools; null until looked up. */
  #known: boolean | null = null
  /** The tools shown to the client since it last requested the first page. */
  #clientListing = new ListedTools()

  constructor(parts: CatalogueParts) {
    this.#parts = parts
  }

  /**
   * Invalidates the listing after the server reported a change. The tools are listed again before the next call is
   * sent.
   */
  expire(): void {
    this.#generation += 1
  }

  /**
   * Requests a page of tools for the client, records the tools, and removes those that cannot be called: a changed
   * description could be an attack on the model. The remaining tools are forwarded unchanged.
   */
  async page(cursor: unknown, ask: () => Promise<object>): Promise<object> {
    const generation = this.#generation
    const page = await ask()
    const { tools } = page as { tools?: unknown }
    if (!Array.isArray(tools)) return page
    // A page that was requested before the last reported change does not describe the current tools.
    if (cursor === undefined) this.#clientListing = new ListedTools()
    const listing = generation === this.#generation ? this.#clientListing : new ListedTools()
    const names = listing.add(tools)
    if (generation === this.#generation) this.#merge(listing, names)
    const { isHidden } = this.#parts
    const kept = tools.filter((tool) => {
      const definition = listing.get(readToolName(tool))
      return this.#mayShow(definition) && !isHidden(definition?.name ?? '')
    })
    return kept.length === tools.length ? page : copySpelling(page, { ...page, tools: kept })
  }

  /** Returns the tool status, after listing the tools if necessary. @throws if the tools cannot be listed */
  async standing(name: string): Promise<ToolStatus> {
    await this.#read()
    // Some servers do not report changes to their tools.
    if (!this.#shown.has(name) && this.#isOld()) {
      this.#listing = this.#list(this.#generation)
      await this.#listing.done
      await this.#read()
    }
    return this.lookUp(name)
  }

  /** Returns the current tool status. Definitions read before the last reported change are not valid. */
  lookUp(name: string): ToolStatus {
    if (this.#complete !== this.#generation)
      return refused('TOOL_DEFINITION_CHANGED', 'the server changed its tools, and the new list has not been read yet')
    const definition = this.#shown.get(name)
    if (definition === undefined) return refused('TOOL_UNKNOWN', 'the server does not list this tool')
    if (definition === null)
      return refused(
        'TOOL_DEFINITION_CHANGED',
        'the server lists this tool twice, or with a definition that cannot be accepted',
      )
    const { digest, inputSchema } = definition
    const seen = this.#see(definition)
    return seen === 'accepted' ? { digest, inputSchema, refusal: null } : { ...refusalOf(seen), digest }
  }

  /**
   * Resolves when the tools of the current generation have been read.
   *
   * @throws if the current or a recent attempt failed
   */
  async #read(): Promise<void> {
    for (let count = 0; count < LISTINGS_PER_CALL_MAX; count += 1) {
      const generation = this.#generation
      if (this.#complete === generation) return
      const known = this.#listing
      const usable = known?.generation === generation && (known.endedAt === null || !this.#isOld())
      const listing = usable ? known : this.#list(generation)
      this.#listing = listing
      await listing.done
    }
    if (this.#complete !== this.#generation) throw new Error('the server keeps changing its tools')
  }

  /** Whether the latest listing is old enough to be repeated. */
  #isOld(): boolean {
    const { endedAt } = this.#listing ?? {}
    return typeof endedAt === 'number' && performance.now() - endedAt >= LISTING_AGE_MIN_MS
  }

  #list(generation: number): Listing {
    const listing: Listing = { generation, done: this.#readAll(generation), endedAt: null }
    const end = (): void => {
      listing.endedAt = performance.now()
    }
    listing.done.then(end, end)
    return listing
  }

  async #readAll(generation: number): Promise<void> {
    let cursor: string | undefined
    const listed = new ListedTools()
    // The set includes the empty cursor, because an empty cursor would request the first page again.
    const cursors = new Set([''])
    for (let page = 0; page < TOOL_PAGES_MAX; page += 1) {
      const { tools, nextCursor } = (await this.#parts.listTools(cursor)) as { tools?: unknown; nextCursor?: unknown }
      // The listing is stale. The waiting caller starts a new listing.
      if (generation !== this.#generation) return
      if (Array.isArray(tools)) listed.add(tools)
      if (typeof nextCursor !== 'string' || cursors.has(nextCursor)) {
        this.#shown = new Map()
        this.#merge(listed, listed.names)
        this.#complete = generation
        for (const name of listed.names) this.#mayShow(listed.get(name))
        this.#known = true
        return
      }
      cursors.add(nextCursor)
      cursor = nextCursor
    }
    throw new Error(`the server lists tools on more than ${TOOL_PAGES_MAX} pages`)
  }

  #merge(listed: ListedTools, names: Iterable<string>): void {
    for (const name of names) {
      if (this.#shown.size < TOOLS_MAX || this.#shown.has(name)) this.#shown.set(name, listed.get(name) ?? null)
    }
  }

  #mayShow(definition: Shown | undefined): boolean {
    const { note } = this.#parts
    if (definition == null) {
      note('a tool was omitted, because its definition cannot be accepted')
      return false
    }
    const seen = this.#see(definition)
    if (seen === 'accepted') return true
    note(
      `${refusalOf(seen).refusal.reason}: calls of \`${definition.name}\` are denied until a person accepts the definition`,
    )
    return false
  }

  #see(definition: ToolDefinition): SeenState {
    const { server, pins, newTools } = this.#parts
    return pins.see(server, definition, newTools || !this.#knowsServer() ? 'accepted' : 'changed')
  }

  /** Whether tools of this server were accepted before this session, or were read completely during this session. */
  #knowsServer(): boolean {
    const { server, pins } = this.#parts
    this.#known ??= pins.list(server).some(({ tool, state }) => tool !== SERVER_ENTRY && state === 'accepted')
    return this.#known
  }
}

/** The tools in one listing, by name. If a name has two different definitions, neither is used. */
class ListedTools {
  readonly #definitions = new Map<string, Shown>()

  get names(): Iterable<string> {
    return this.#definitions.keys()
  }

  get(name: string | null): Shown | undefined {
    return name === null ? undefined : this.#definitions.get(name)
  }

  /** Adds a page. @returns the tool names on the page */
  add(page: readonly unknown[]): ReadonlySet<string> {
    const names = new Set<string>()
    for (const tool of page) {
      const name = readToolName(tool)
      if (name === null || (this.#definitions.size >= TOOLS_MAX && !this.#definitions.has(name))) continue
      const definition = readDefinition(tool)
      const before = this.#definitions.get(name)
      // The same definition on two pages is not ambiguous.
      const twice = names.has(name) || (before !== undefined && before?.digest !== definition?.digest)
      this.#definitions.set(name, twice ? null : definition)
      names.add(name)
    }
    return names
  }
}

const refused = (
  code: ToolRefusal,
  reason: string,
): { readonly digest: null; readonly refusal: NonNullable<ToolStatus['refusal']> } => ({
  digest: null,
  refusal: { code, reason },
})

const refusalOf = (seen: Exclude<SeenState, 'accepted'>): ReturnType<typeof refused> =>
  seen === 'new'
    ? refused('TOOL_NOT_ACCEPTED', 'the tool is new and has not been accepted')
    : refused('TOOL_DEFINITION_CHANGED', 'the tool definition differs from the accepted definition')
