/**
 * All limits of the guard, with their reasons. Both sides are untrusted: the client runs what a model requests, and
 * the server is a third-party program. Neither side can make the guard exceed these limits.
 */

/**
 * Maximum length of a client message, in bytes. The engine limits arguments to 256 Ki characters; the rest is for
 * `_meta` and escapes.
 */
export const CLIENT_MESSAGE_BYTES_MAX = 4 * 1024 * 1024

/** Maximum length of a server message, in bytes: enough for several megabytes of base64. */
export const SERVER_MESSAGE_BYTES_MAX = 16 * 1024 * 1024

/**
 * Maximum nesting depth of a client message. The engine allows 32 levels for arguments; tool schemas rarely have
 * more than 20.
 */
export const MESSAGE_DEPTH_MAX = 64

/**
 * Maximum nesting depth of a server message. No decision depends on a server message, so deep results are allowed;
 * the limit only bounds the recursion.
 */
export const SERVER_MESSAGE_DEPTH_MAX = 1_000

/**
 * Maximum number of bytes that are skipped to find the end of an overlong line. A sender of a longer line is
 * disconnected.
 */
export const SKIPPED_BYTES_MAX = 1024 * 1024 * 1024

/** Maximum number of values in the arguments of one call. The engine would refuse more values. */
export const ARGUMENT_VALUES_MAX = 10_000

/** Maximum number of unanswered requests from one side. A client that sends more is in a loop. */
export const REQUESTS_MAX = 64

/** Maximum number of pending approvals in one session: people would not answer more. */
export const OPEN_APPROVALS_MAX = 16

/** Default time limit for a server response, in milliseconds: builds and crawls take minutes. */
export const CALL_TIMEOUT_MS_DEFAULT = 600_000

/** Time limit for a client response (sampling, elicitation), in milliseconds. */
export const CLIENT_TIMEOUT_MS = 600_000

/** Maximum delay of a timer, in milliseconds: Node fires a timer with a longer delay immediately. */
export const WAIT_MS_MAX = 2 ** 31 - 1

/**
 * Maximum number of pending calls that `sudoagent_wait` can find, and their bytes; the oldest are dropped first. A
 * repeated call attaches to its question in any case.
 */
export const TOLD_MAX = 128
export const TOLD_BYTES_MAX = 16 * 1024 * 1024

/**
 * Results of calls that were pending, for clients that stopped to wait while the call ran: their number, their bytes,
 * and how long they are kept, in milliseconds. The oldest are dropped first.
 */
export const RESULTS_KEPT_MAX = 64
export const RESULTS_KEPT_BYTES_MAX = 64 * 1024 * 1024
export const RESULTS_KEPT_MS = 600_000

/** Maximum number of calls that are known to have run, with or without their results. */
export const RUNS_KEPT_MAX = 1_024

/**
 * How long a call waits for its approval before the client receives "pending", in milliseconds. Several clients
 * silently time out after 5 s. The hold time is shorter, so that an approved call runs while its caller is still
 * waiting.
 */
export const HOLD_MS_DEFAULT = 4_000

/**
 * Interval of progress notifications for a waiting call, in milliseconds. Client inactivity timeouts are at least
 * this long.
 */
export const PROGRESS_INTERVAL_MS = 2_000

/** How long a call waits for the server's tool list, in milliseconds. */
export const CATALOGUE_TIMEOUT_MS = 30_000

/** Maximum number of `tools/list` pages that the guard reads: a server could return pages without end. */
export const TOOL_PAGES_MAX = 100

/** Maximum number of listings that one call waits for: a server could report a change during every listing. */
export const LISTINGS_PER_CALL_MAX = 3

/**
 * Minimum age of a listing before the guard lists the tools again without a change notification, in milliseconds.
 * The guard lists the tools again if the last listing failed or does not contain the called tool. Without this limit,
 * each such call would read up to 100 pages.
 */
export const LISTING_AGE_MIN_MS = 5_000

/** Maximum number of tools of one server: more than a model can choose from. */
export const TOOLS_MAX = 5_000

/** Maximum length of the canonical text of a tool definition, in bytes. */
export const TOOL_DEFINITION_BYTES_MAX = 256 * 1024

/**
 * Maximum number of steps to check arguments against a schema: real checks take a few hundred. Arguments that need
 * more steps are refused.
 */
export const SCHEMA_STEPS_MAX = 50_000

/** Additional steps for each character of the arguments: enough for a union of 16 types for each value. */
export const SCHEMA_STEPS_PER_CHARACTER = 16

/** Maximum nesting depth of references and combinations for the same value. */
export const SCHEMA_REFERENCES_MAX = 32

/** Maximum length of a tool name: with `<server>/`, the name must fit into the 256 characters of an action. */
export const TOOL_NAME_LENGTH_MAX = 190

/** Unknown tool names are truncated to this length in the refusal metadata. */
export const UNKNOWN_TOOL_LENGTH_MAX = 100

/** Maximum length of a server name. */
export const SERVER_NAME_LENGTH_MAX = 64

/** Client names are truncated to this length in approver ids and in decision metadata. */
export const CLIENT_NAME_LENGTH_MAX = 100

/** Server versions are truncated to this length in decision metadata. */
export const SERVER_VERSION_LENGTH_MAX = 100

/** Maximum length of the escaped client name in an approver id. An approver id has at most 256 characters. */
export const APPROVER_NAME_LENGTH_MAX = 200

/**
 * Maximum length of the arguments in an elicitation. If the arguments are longer, the client is not asked; the
 * approval store shows them in full.
 */
export const SHOWN_ARGUMENTS_LENGTH_MAX = 2_000

/** Tool error texts are truncated to this length in the outcome. */
export const TOOL_ERROR_LENGTH_MAX = 400

/**
 * How long the child's process tree may take to exit after its stdin is closed, and again after SIGTERM, in
 * milliseconds. Clients kill the guard after two seconds, and the tree must exit before then.
 */
export const CHILD_GRACE_MS = 700

/** Time limit for recording running calls when a session ends, in milliseconds. */
export const CLOSE_GRACE_MS = 5_000

/** Maximum number of HTTP sessions: each session is a server process or a session with the server. */
export const SESSIONS_MAX = 32

/** Idle timeout of a session, in milliseconds. A session is idle if it has neither a request nor an open stream. */
export const SESSION_IDLE_MS = 30 * 60_000

/** Maximum number of connections: each session has one stream and a few requests. */
export const CONNECTIONS_MAX = 256

/** Time limit for the headers and the body of one HTTP request, in milliseconds. */
export const HTTP_REQUEST_TIMEOUT_MS = 30_000

/**
 * Idle timeout of a connection, in milliseconds. A stream sends a keep-alive every 15 s, so only connections of
 * clients that stop reading time out.
 */
export const HTTP_SILENCE_MS = 120_000

/** How long the guard waits for HTTP requests in progress when it stops, in milliseconds. */
export const HTTP_CLOSE_GRACE_MS = 2_000

/**
 * How long a response can still become a single JSON text, in milliseconds. After this time, the response becomes a
 * stream with keep-alives.
 */
export const ANSWER_AS_JSON_MS = 25_000

/** Interval of keep-alives on a stream, in milliseconds. */
export const STREAM_KEEPALIVE_MS = 15_000

/** Time limit for the first headers of a connection, in milliseconds. Until then, the client has not sent a token. */
export const HTTP_HEADERS_TIMEOUT_MS = 5_000

/** Maximum number of connections without a token from one address. The loopback counts as one address. */
export const UNPROVEN_CONNECTIONS_MAX = 32

/** Maximum number of bytes of an overlong body that are read to find the request id. */
export const HTTP_SKIPPED_BYTES_MAX = 64 * 1024 * 1024
