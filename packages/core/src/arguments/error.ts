/** Why a value could not be taken: one code, and where the value stands. */

/**
 * A call's arguments (or metadata) cannot be put on record, so the call is refused.
 *
 * `path` says which value, as in `args[0].amount`; keys in it that are long, odd or look like a secret are shown as
 * `[…]`. `cause` is what a getter or a proxy's trap threw, when that was the reason: it is foreign, do not show it.
 */
export class SnapshotError extends Error {
  override readonly name = 'SnapshotError'
  readonly code = 'PARAMETERS_INVALID'
  readonly path: string

  constructor(path: string, why: string, options?: { readonly cause: unknown }) {
    super(`\`${path}\` ${why}`, options)
    this.path = path
  }
}
