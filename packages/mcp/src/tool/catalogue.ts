/**
 * The tools of one session's server: which of them are shown, and which may be called.
 *
 * A server may change a tool after somebody has read its description ("rug pull"). So each definition has a digest over
 * its canonical JSON (`tool-definition.ts`), and the accepted digests are pinned (`tool-pins.ts`):
 *
 *     accepted    this digest was the first that was seen of the tool, or a person accepted it: shown and callable
 *     changed     another digest than the accepted one: TOOL_DEFINITION_CHANGED, until `sudoagent mcp accept`
 *
 * A definition counts only for the listing that it was read in. `list_changed` begins a new generation: until the server's
 * tools were read again, no call may be sent.
 */
import { LISTING_AGE_MIN_MS, LISTINGS_PER_CALL_MAX, TOOL_PAGES_MAX, TOOLS_MAX } from '../limits.js'
import { copySpelling } from '../wire/exact-json.js'
import { readDefinition, readToolName, SERVER_ENTRY, type ToolDefinition } from './tool-definition.js'
import type { SeenState, ToolPins } from './tool-pins.js'

type ToolRefusal = 'TOOL_UNKNOWN' | 'TOOL_DEFINITION_CHANGED' | 'TOOL_NOT_ACCEPTED'

/** What stands in the way of calling a tool; null when nothing does. */
export interface ToolStatus {
  readonly digest: string | null
  /** Of the accepted definition. */
  readonly inputSchema?: unknown
  readonly refusal: { readonly code: ToolRefusal; readonly reason: string } | null
}

export interface CatalogueParts {
  readonly server: string
  readonly pins: ToolPins
  /** Whether a tool that a known server shows for the first time is accepted. */
  readonly newTools: boolean
  /** Tools that the client is not shown, by name: no call of them is ever allowed. */
  readonly isHidden: (name: string) => boolean
  /** Asks the server for a page of its tools. */
  readonly listTools: (cursor: string | undefined) => Promise<object>
  readonly note: (text: string) => void
}

/** A tool of the latest listing. Null: the server showed it in a way that no definition can be accepted for. */
type Shown = ToolDefinition | null

/** A complete reading of the server's tools, under way or over. */
interface Listing {
  readonly generation: number
  /** Rejects when the tools could not be read; that is remembered, too. */
  readonly done: Promise<void>
  endedAt: number | null
}

export class Catalogue {
  readonly #parts: CatalogueParts
  #shown = new Map<string, Shown>()
  #generation = 0
  /** The generation of which all tools were read. */
  #complete = -1
  #listing: Listing | null = null
  /** Whether the server had accepted tools before; null until that was looked up. */
  #known: boolean | null = null
  /** What the client was shown, page by page, since it last asked for the first one. */
  #clientListing = new ListedTools()

  constructor(parts: CatalogueParts) {
    this.#parts = parts
  }

  /** The server says that its tools have changed: before the next call is sent they are read again. */
  expire(): void {
    this.#generation += 1
  }

  /**
   * Asks for a page of tools for the client, takes note of them, and leaves out those that may not be called: the new text of a changed
   * definition is what an attack would consist of. The others are the server's own objects, untouched.
   */
  async page(cursor: unknown, ask: () => Promise<object>): Promise<object> {
    const generation = this.#generation
    const page = await ask()
    const { tools } = page as { tools?: unknown }
    if (!Array.isArray(tools)) return page
    // Another page of an older listing says nothing about the tools of this one.
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

  /** Whether a tool may be called. Reads the server's tools first where they are not known. @throws when they cannot be read */
  async standing(name: string): Promise<ToolStatus> {
    await this.#read()
    // Servers that do not say when their tools change exist, too.
    if (!this.#shown.has(name) && this.#isOld()) {
      this.#listing = this.#list(this.#generation)
      await this.#listing.done
      await this.#read()
    }
    return this.lookUp(name)
  }

  /** The same as of this moment: what was read before the server last said that its tools have changed does not count. */
  lookUp(name: string): ToolStatus {
    if (this.#complete !== this.#generation)
      return refused('TOOL_DEFINITION_CHANGED', 'the server changed its tools, and they have not been read again')
    const definition = this.#shown.get(name)
    if (definition === undefined) return refused('TOOL_UNKNOWN', 'the server shows no such tool')
    if (definition === null)
      return refused('TOOL_DEFINITION_CHANGED', 'the server shows the tool twice, or in a form that cannot be accepted')
    const { digest, inputSchema } = definition
    const seen = this.#see(definition)
    return seen === 'accepted' ? { digest, inputSchema, refusal: null } : { ...refusalOf(seen), digest }
  }

  /** Resolves when the tools of the current generation were read. @throws when they cannot be, now or a moment ago */
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
    if (this.#complete !== this.#generation) throw new Error('the server changes its tools all the time')
  }

  /** Whether the latest listing ended so long ago that another one is due. */
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
    // An empty cursor names the first page again.
    const cursors = new Set([''])
    for (let page = 0; page < TOOL_PAGES_MAX; page += 1) {
      const { tools, nextCursor } = (await this.#parts.listTools(cursor)) as { tools?: unknown; nextCursor?: unknown }
      // Whoever waits for this asks again.
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
      note('a tool without a definition that can be accepted was left out')
      return false
    }
    const seen = this.#see(definition)
    if (seen === 'accepted') return true
    note(`${refusalOf(seen).refusal.reason}: \`${definition.name}\` is refused until it is accepted`)
    return false
  }

  #see(definition: ToolDefinition): SeenState {
    const { server, pins, newTools } = this.#parts
    return pins.see(server, definition, newTools || !this.#knowsServer() ? 'accepted' : 'changed')
  }

  /** Whether tools of this server were accepted before this session, or were all read in it. */
  #knowsServer(): boolean {
    const { server, pins } = this.#parts
    this.#known ??= pins.list(server).some(({ tool, state }) => tool !== SERVER_ENTRY && state === 'accepted')
    return this.#known
  }
}

/** The tools of one listing by name. A name that comes twice has no definition: which of the two would a call mean? */
class ListedTools {
  readonly #definitions = new Map<string, Shown>()

  get names(): Iterable<string> {
    return this.#definitions.keys()
  }

  get(name: string | null): Shown | undefined {
    return name === null ? undefined : this.#definitions.get(name)
  }

  /** Adds a page. @returns its names */
  add(page: readonly unknown[]): ReadonlySet<string> {
    const names = new Set<string>()
    for (const tool of page) {
      const name = readToolName(tool)
      if (name === null || (this.#definitions.size >= TOOLS_MAX && !this.#definitions.has(name))) continue
      const definition = readDefinition(tool)
      const before = this.#definitions.get(name)
      // A server that gives the same page under two cursors shows the same definition twice: there is no choice in that.
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
    ? refused('TOOL_NOT_ACCEPTED', 'the tool is new and was not accepted')
    : refused('TOOL_DEFINITION_CHANGED', 'the definition of the tool is not the accepted one')
