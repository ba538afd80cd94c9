import { SudoAgentError } from '@sudoagent/crypto'

/** The codes of policy file errors. New codes may be added; existing codes are never renamed. */
export const POLICY_FILE_CODES = Object.freeze([
  /** The file cannot be read: it is missing, is a folder, or its permissions do not allow it. */
  'POLICY_FILE_UNREADABLE',
  /** The file name does not have the extension of a module, YAML or JSON. */
  'POLICY_FILE_KIND_UNKNOWN',
  /** The file exceeds a limit in `limits.ts`: the file is too large, nested too deeply, or has too many items. */
  'POLICY_LIMIT',
  /** The file is not valid UTF-8, YAML or JSON. */
  'POLICY_SYNTAX',
  /**
   * The file uses a YAML feature that can hide its meaning: anchors, aliases, tags, merge keys, directives, several
   * documents.
   */
  'POLICY_YAML_FEATURE',
  /** One object has the same key twice, or two rules have the same id. */
  'POLICY_DUPLICATE',
  'POLICY_KEY_UNKNOWN',
  'POLICY_KEY_MISSING',
  /** A value has the wrong type, for example a string instead of a number. */
  'POLICY_TYPE',
  /** A value has the right type but is not valid for its key. */
  'POLICY_VALUE',
  'POLICY_GLOB_INVALID',
  /** A test can never be true, or no call can reach a rule. */
  'POLICY_RULE_IDLE',
  /** A rule tests an argument that is redacted before the policy sees it. */
  'POLICY_ARGUMENT_REDACTED',
  /** A module cannot be loaded or does not export a policy. */
  'POLICY_MODULE_INVALID',
] as const)

export type PolicyFileErrorCode = (typeof POLICY_FILE_CODES)[number]

/** A position in the text, counted from 1. A column counts UTF-16 code units. */
export interface Place {
  readonly line: number
  readonly column: number
}

/**
 * Thrown for a policy file that cannot be used. The message is one line: the file, the line and column if known, and
 * the problem. `problem` is the message without the position.
 */
export class PolicyFileError extends SudoAgentError<PolicyFileErrorCode> {
  override readonly name = 'PolicyFileError'
  readonly problem: string
  declare readonly hint: string
  /** Null if the error concerns the whole file. */
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
    super(code, `${where}: ${problem}`, { hint, cause })
    this.problem = problem
    this.line = place?.line ?? null
    this.column = place?.column ?? null
  }
}
