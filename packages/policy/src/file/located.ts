// Defines policy file values with their positions, and creates errors that name a position.
import { type Place, PolicyFileError, type PolicyFileErrorCode } from '../error.js'

interface Located {
  /** The offset in the text, in UTF-16 code units. */
  readonly at: number
}

export type LocatedValue = LocatedMap | LocatedList | LocatedScalar

export interface LocatedMap extends Located {
  readonly kind: 'map'
  readonly members: ReadonlyMap<string, { readonly at: number; readonly value: LocatedValue }>
}

export interface LocatedList extends Located {
  readonly kind: 'list'
  readonly items: readonly LocatedValue[]
}

export interface LocatedScalar extends Located {
  readonly kind: 'scalar'
  /** Integers are bigints, so that a large integer is not rounded before its range is checked. */
  readonly value: string | number | bigint | boolean | null
}

/** Creates errors about one policy file. */
export class Source {
  readonly #file: string
  readonly #placeOf: (offset: number) => Place

  constructor(file: string, placeOf: (offset: number) => Place) {
    this.#file = file
    this.#placeOf = placeOf
  }

  lineOf(offset: number): number {
    return this.#placeOf(offset).line
  }

  error(code: PolicyFileErrorCode, at: number, problem: string, hint: string): PolicyFileError {
    return new PolicyFileError(code, this.#file, this.#placeOf(at), problem, hint)
  }
}
