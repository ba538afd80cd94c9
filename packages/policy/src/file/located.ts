// Values of a file with the place where each stands, and the errors that name it.
import { type Place, PolicyFileError, type PolicyFileErrorCode } from '../error.js'

interface Located {
  /** Offset in the text. */
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
  /** Whole numbers as bigint, so that one that is too large is not rounded before it is refused. */
  readonly value: string | number | bigint | boolean | null
}

/** Makes errors about one text. */
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
