// Every bound of a policy file and of its evaluation, with its reason.

/** Far more than people can review; the YAML library needs a second or two for the worst file of this size. */
export const FILE_BYTES_MAX = 128 * 1024

/** A module may be a bundle of everything that it imports; a larger file is no policy. */
export const MODULE_BYTES_MAX = 16 * 1024 * 1024

/** A policy nests six deep. The YAML library is recursive, and near the end of the stack V8 ends the process instead of throwing. */
export const DEPTH_MAX = 16

/** White space and list marks in front of a line: each can open a level. */
export const INDENT_MAX = 64

/** Keys and list marks one behind the other, on a line or in an item between brackets: `- id: x` has two. Each can open a level, too. */
export const LEVELS_MAX = 4

/** A list that is read from top to bottom is understood up to here, if at all. */
export const RULES_MAX = 500

/** Values, prefixes, globs, servers or tools in one list. */
export const LIST_MAX = 256

/** Arguments that one rule tests. */
export const ARGUMENTS_MAX = 32

/** Keys on the way to an argument; the engine reads no call that nests much deeper. */
export const ARGUMENT_DEPTH_MAX = 16

/** An argument's dotted path. */
export const ARGUMENT_PATH_CHARACTERS_MAX = 256

/** Values that the `*` in an argument's path may stand for; beyond, the test is unclear. Each may be a path that is followed on the disk. */
export const ARGUMENT_VALUES_MAX = 256

export const ID_CHARACTERS_MAX = 64
export const VERSION_CHARACTERS_MAX = 64
export const DESCRIPTION_CHARACTERS_MAX = 2_000

/** With the rule's id behind it, it fits the ledger's `reason` (4,096) many times over. */
export const REASON_CHARACTERS_MAX = 1_000

/** The longest name of an action in the ledger. */
export const NAME_CHARACTERS_MAX = 256

/** Texts of `equals`, `one_of` and `prefix`. */
export const TEXT_CHARACTERS_MAX = 4_096

/** The longest path that Linux accepts; for globs and roots as well as for the arguments they are held against. */
export const PATH_CHARACTERS_MAX = 4_096
export const PATH_SEGMENTS_MAX = 256
export const GLOB_SEGMENTS_MAX = 64

/** Entries of a folder that are looked through for another spelling of a name; in a larger one the answer is that it cannot be told. */
export const FOLDER_ENTRIES_MAX = 10_000

/** System calls that one evaluation may make to follow paths, some tens of milliseconds; beyond, where a path leads cannot be told. */
export const DISK_WORK_MAX = 5_000
