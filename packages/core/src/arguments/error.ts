/** Defines the error for a value that cannot be recorded. */

/**
 * Thrown if the arguments or metadata of a call cannot be recorded. The call is denied.
 *
 * `path` names the value, as in `args[0].amount`. A key that is long, unusual or looks like a secret is shown as `[…]`.
 * If a getter or a proxy trap threw an error, `cause` is that error. The cause is untrusted, so do not show it.
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
