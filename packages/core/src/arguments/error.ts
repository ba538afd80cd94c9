/** The error for a value that cannot be recorded, with its path. */

/**
 * The arguments or metadata of a call cannot be recorded, so the call is refused.
 *
 * `path` names the value, as in `args[0].amount`; keys that are long, unusual or look like a secret are shown as
 * `[…]`. `cause` is the error that a getter or a proxy trap threw, if that was the reason. It is untrusted: do not
 * show it.
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
