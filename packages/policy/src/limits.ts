// The limits for policy files and their evaluation, with reasons.

/**
 * The maximum size of a policy file: far more than people can review. The YAML library needs one to two seconds for
 * the slowest file of this size.
 */
export const FILE_BYTES_MAX = 128 * 1024

/**
 * The maximum size of a module, which may be a bundle with all its imports. A larger file is probably not a policy.
 */
export const MODULE_BYTES_MAX = 16 * 1024 * 1024

/**
 * The maximum nesting depth. A policy needs only six levels. The YAML library is recursive, and a stack overflow can
 * crash the process instead of throwing.
 */
export const DEPTH_MAX = 16

/**
 * The maximum number of spaces and list markers at the beginning of a line. Each of these characters can open a level.
 */
export const INDENT_MAX = 64

/**
 * The maximum number of keys and list markers on one line, or in one item inside brackets; `- id: x` has two. Each can
 * open a level.
 */
export const LEVELS_MAX = 4

/** The maximum number of rules: more than a person can follow from top to bottom. */
export const RULES_MAX = 500

/** The maximum number of values, prefixes, globs, servers or tools in one list. */
export const LIST_MAX = 256

/** The maximum number of arguments that one rule tests. */
export const ARGUMENTS_MAX = 32

/** The maximum number of keys in an argument path. The engine rejects calls with much deeper nesting. */
export const ARGUMENT_DEPTH_MAX = 16

/** The maximum length of an argument's dotted path. */
export const ARGUMENT_PATH_LENGTH_MAX = 256

/**
 * The maximum number of values that a `*` in an argument path may match; with more values, the test is unclear. Each
 * value may be a path that is resolved on disk.
 */
export const ARGUMENT_VALUES_MAX = 256

/** The maximum time that a rule may give approvers, in days: the ledger's limit for questions. */
export const APPROVAL_WITHIN_DAYS_MAX = 7

export const ID_LENGTH_MAX = 64
export const VERSION_LENGTH_MAX = 64
export const DESCRIPTION_LENGTH_MAX = 2_000

/**
 * The maximum length of a reason. A reason and a rule id together are far shorter than the ledger's limit for `reason`,
 * 4,096 characters.
 */
export const REASON_LENGTH_MAX = 1_000

/** The ledger's limit for action names. */
export const NAME_LENGTH_MAX = 256

/** The maximum length of a string in `equals`, `one_of` and `prefix`. */
export const TEXT_LENGTH_MAX = 4_096

/**
 * The longest path that Linux accepts. The limit applies to globs, roots and the arguments that are compared with globs
 * and roots.
 */
export const PATH_LENGTH_MAX = 4_096
export const PATH_SEGMENTS_MAX = 256
export const GLOB_SEGMENTS_MAX = 64

/**
 * The maximum number of folder entries that are searched for a different Unicode spelling of a name; in a larger
 * folder, the result is unclear.
 */
export const FOLDER_ENTRIES_MAX = 10_000

/**
 * The maximum number of system calls that one evaluation may make to resolve paths. This number of calls takes some
 * tens of milliseconds. Above the limit, the result is unclear.
 */
export const DISK_WORK_MAX = 5_000
