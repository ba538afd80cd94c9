// The limits of a policy file and of its evaluation, with their reasons.

/** Far more than people can review. The YAML library needs one to two seconds for the worst file of this size. */
export const FILE_BYTES_MAX = 128 * 1024

/** A module may be a bundle with all its imports; a larger file is probably not a policy. */
export const MODULE_BYTES_MAX = 16 * 1024 * 1024

/**
 * A policy nests six levels deep. The YAML library is recursive, and V8 ends the process on a deep stack instead of
 * throwing.
 */
export const DEPTH_MAX = 16

/** White space and list marks at the beginning of a line: each can open a level. */
export const INDENT_MAX = 64

/**
 * Consecutive keys and list marks on one line, or in one item inside brackets: `- id: x` has two. Each can open a
 * level.
 */
export const LEVELS_MAX = 4

/** More rules than a person can follow from top to bottom. */
export const RULES_MAX = 500

/** Values, prefixes, globs, servers or tools in one list. */
export const LIST_MAX = 256

/** Arguments that one rule tests. */
export const ARGUMENTS_MAX = 32

/** Keys in the path of an argument; the engine does not accept calls that nest much deeper. */
export const ARGUMENT_DEPTH_MAX = 16

/** The length of an argument's dotted path. */
export const ARGUMENT_PATH_LENGTH_MAX = 256

/**
 * Values that a `*` in an argument's path may match; with more, the test is unclear. Each of them may be a path
 * that is resolved on disk.
 */
export const ARGUMENT_VALUES_MAX = 256

export const ID_LENGTH_MAX = 64
export const VERSION_LENGTH_MAX = 64
export const DESCRIPTION_LENGTH_MAX = 2_000

/** A reason and a rule id together are far shorter than the ledger's limit for `reason` (4,096 characters). */
export const REASON_LENGTH_MAX = 1_000

/** The ledger's limit for the name of an action. */
export const NAME_LENGTH_MAX = 256

/** The length of a string in `equals`, `one_of` and `prefix`. */
export const TEXT_LENGTH_MAX = 4_096

/**
 * The longest path that Linux accepts. The limit applies to globs, roots and the arguments that they are compared
 * with.
 */
export const PATH_LENGTH_MAX = 4_096
export const PATH_SEGMENTS_MAX = 256
export const GLOB_SEGMENTS_MAX = 64

/**
 * Entries of a folder that are searched for another Unicode spelling of a name; in a larger folder the result is
 * unclear.
 */
export const FOLDER_ENTRIES_MAX = 10_000

/**
 * System calls that one evaluation may make to resolve paths (some tens of milliseconds); beyond that, the result
 * is unclear.
 */
export const DISK_WORK_MAX = 5_000
