/** What can be wrong with a policy file. Codes are added, never renamed. */
export const POLICY_FILE_CODES = Object.freeze([
  /** It cannot be read: missing, a folder, no permission. */
  'POLICY_FILE_UNREADABLE',
  /** Neither a module nor YAML nor JSON, by its name. */
  'POLICY_FILE_KIND_UNKNOWN',
  /** A limit of `limits.ts`: too large, too deep, too many. */
  'POLICY_LIMIT',
  /** Not UTF-8, not YAML, not JSON. */
  'POLICY_SYNTAX',
  /** YAML that can say one thing and mean another: anchors, aliases, tags, merge keys, directives, several documents. */
  'POLICY_YAML_FEATURE',
  /** The same key twice in one object, or the same rule id twice. */
  'POLICY_DUPLICATE',
  'POLICY_KEY_UNKNOWN',
  'POLICY_KEY_MISSING',
  /** A text where a number is needed, and the like. */
  'POLICY_TYPE',
  /** The right type, but a value that means nothing here. */
  'POLICY_VALUE',
  'POLICY_GLOB_INVALID',
  /** A test that no call can ever pass, or a rule that no call can ever reach. */
  'POLICY_RULE_IDLE',
  /** A test of an argument whose value the policy is never shown. */
  'POLICY_ARGUMENT_REDACTED',
  /** A module that cannot be loaded, or exports no policy. */
  'POLICY_MODULE_INVALID',
] as const)

export type PolicyFileErrorCode = (typeof POLICY_FILE_CODES)[number]

/** Where in the text, both from 1. A column counts UTF-16 units. */
export interface Place {
  readonly line: number
  readonly column: number
}

/**
 * A policy file that is refused. The message is one line that names the file and, where there is one, the place;
 * `problem` is the same without them.
 */
export class PolicyFileError extends Error {
  override readonly name = 'PolicyFileError'
  readonly code: PolicyFileErrorCode
  readonly problem: string
  readonly hint: string
  /** Null where the whole file is meant. */
  readonly line: number | null
  readonly column: number | null

  constructor(
    code: PolicyFileErrorCode,
    file: string,
    place: Place | null,
    problem: string,
    hint: string,
    cause?: unknown,
  ) {
    const where = place === null ? `\`${file}\`` : `\`${file}\`, line ${place.line}, column ${place.column}`
    super(`${where}: ${problem}`, cause === undefined ? undefined : { cause })
    this.code = code
    this.problem = problem
    this.hint = hint
    this.line = place?.line ?? null
    this.column = place?.column ?? null
  }
}
