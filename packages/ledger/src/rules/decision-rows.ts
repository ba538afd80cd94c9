// The data that `Lifecycle` stores for each decision, apart from its key.

/** The state of a decision whose call has an outcome. */
export const IS_DONE = 2

interface Rows {
  readonly states: Uint8Array
  readonly positions: Float64Array
  readonly requests: Int32Array
}

const newRows = (): Rows => ({
  states: new Uint8Array(BLOCK_ROWS),
  positions: new Float64Array(BLOCK_ROWS),
  requests: new Int32Array(BLOCK_ROWS),
})

/** A column store in blocks. Growing it adds a block and does not copy data. */
export class DecisionRows {
  readonly #blocks: { readonly states: Uint8Array; readonly positions: Float64Array; readonly requests: Int32Array }[] =
    []
  #size = 0

  add(state: number, position: number, request: number): void {
    const at = this.#size % BLOCK_ROWS
    if (at === 0) this.#blocks.push(newRows())
    const rows = this.#blocks.at(-1) ?? newRows()
    rows.states[at] = state
    rows.positions[at] = position
    rows.requests[at] = request
    this.#size += 1
  }

  state(row: number): number {
    return this.#blocks[Math.floor(row / BLOCK_ROWS)]?.states[row % BLOCK_ROWS] ?? IS_DONE
  }

  setState(row: number, state: number): void {
    const block = this.#blocks[Math.floor(row / BLOCK_ROWS)]
    if (block !== undefined) block.states[row % BLOCK_ROWS] = state
  }

  position(row: number): number {
    return this.#blocks[Math.floor(row / BLOCK_ROWS)]?.positions[row % BLOCK_ROWS] ?? 0
  }

  /** Row of the decision's request id in the table of request ids; −1 if the request id is not a UUID. */
  request(row: number): number {
    return this.#blocks[Math.floor(row / BLOCK_ROWS)]?.requests[row % BLOCK_ROWS] ?? -1
  }
}

const BLOCK_ROWS = 1 << 12
