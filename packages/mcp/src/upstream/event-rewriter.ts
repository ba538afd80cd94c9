/**
 * Rewrites the data of each event in a stream of server-sent events, and forwards other lines unchanged. Buffers at
 * most one event.
 */
export class EventRewriter {
  readonly #rewrite: (data: string) => string | null
  #parts: string[] = []
  #lines: string[] = []
  #afterReturn = false

  /** @param rewrite - returns the new data of an event, or null to drop the event */
  constructor(rewrite: (data: string) => string | null) {
    this.#rewrite = rewrite
  }

  /** @returns the events completed by this chunk */
  push(chunk: string): string {
    let out = ''
    let start = this.#afterReturn && chunk.startsWith('\n') ? 1 : 0
    this.#afterReturn = false
    for (let end = lineEnd(chunk, start); end !== -1; end = lineEnd(chunk, start)) {
      this.#parts.push(chunk.slice(start, end))
      start = end + 1
      if (chunk[end] === '\r') {
        if (chunk[start] === '\n') start += 1
        else this.#afterReturn = start === chunk.length
      }
      out += this.#endLine()
    }
    if (start < chunk.length) this.#parts.push(chunk.slice(start))
    return out
  }

  #endLine(): string {
    const line = this.#parts.join('')
    this.#parts = []
    if (line !== '') {
      this.#lines.push(line)
      return ''
    }
    const lines = this.#lines
    this.#lines = []
    return this.#event(lines)
  }

  #event(lines: readonly string[]): string {
    const data = lines.filter((line) => /^data(?::|$)/.test(line)).map((line) => line.replace(/^data:? ?/, ''))
    const others = lines.filter((line) => !/^data(?::|$)/.test(line))
    const text = data.join('\n')
    const rewritten = text === '' ? text : this.#rewrite(text)
    if (rewritten === null) return ''
    const written = data.length === 0 ? [] : rewritten.split('\n').map((line) => `data: ${line}`)
    return `${[...others, ...written].join('\n')}\n\n`
  }
}

const END = /[\r\n]/g

function lineEnd(text: string, from: number): number {
  END.lastIndex = from
  return END.exec(text)?.index ?? -1
}
