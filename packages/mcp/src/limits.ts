/**
 * All limits of the guard, with their reasons. Both sides are untrusted: the client runs what a model requests, and
 * the server is a third-party program. Neither side can make the guard exceed these limits.
 */

/**
 * Longest message of the client. The engine limits arguments to 256 Ki characters; the rest is for `_meta` and
 * escapes.
 */
export const CLIENT_MESSAGE_BYTES_MAX = 4 * 1024 * 1024

/** Longest message of the server: enough for several megabytes of base64, but not for a hundred. */
export const SERVER_MESSAGE_BYTES_MAX = 16 * 1024 * 1024

/** Deepest nesting of a message. The engine allows 32 levels for arguments; tool schemas rarely have more than 20. */
export const MESSAGE_DEPTH_MAX = 64

/**
 * Deepest nesting of a message of the server, which is not decided on: allows deep results and still limits
 * recursion.
 */
export const SERVER_MESSAGE_DEPTH_MAX = 1_000

/** Bytes of an overlong line that are skipped to find its end before the sender is disconnected. */
export const SKIPPED_BYTES_MAX = 1024 * 1024 * 1024

/** Most values in the arguments of one call; the engine refuses more. */
export const ARGUMENT_VALUES_MAX = 10_000

/** Most unanswered requests of one side. A client with more is in a loop. */
export const REQUESTS_MAX = 64

/** Most pending approvals of one session: people would not answer more. */
export const OPEN_APPROVALS_MAX = 16

/** Default time limit for an answer of the server, in milliseconds: builds and crawls take minutes. */
export const CALL_TIMEOUT_MS_DEFAULT = 600_000

/** Time limit for an answer of the client (sampling, an elicitation), in milliseconds. */
export const CLIENT_TIMEOUT_MS = 600_000

/** Longest timer: Node fires a timer beyond 31 bits immediately. */
export const WAIT_MS_MAX = 2 ** 31 - 1

/**
 * How long a denial without a waiting request is kept for the client, in milliseconds: the default lifetime of an
 * approval.
 */
export const ANSWERS_KEPT_MS = 300_000

/** Most kept denials; the newest are kept. */
export const ANSWERS_KEPT_MAX = 64

/**
 * How long a call waits for its approval before it is answered with "pending", in milliseconds: less than the 5 s
 * after which several clients silently time out, so that an approved call runs while its caller still waits.
 */
export const HOLD_MS_DEFAULT = 4_000

/**
 * Interval of progress notifications for a waiting call, in milliseconds. Clients with an inactivity timeout use at
 * least this interval.
 */
export const PROGRESS_INTERVAL_MS = 2_000

/**
 * How long before its deadline an approval must be picked up, in milliseconds: the time to consume it and record
 * the decision.
 */
export const PICK_UP_MARGIN_MS = 500

/** How long a call waits for the tool list of the server, in milliseconds. */
export const CATALOGUE_TIMEOUT_MS = 30_000

/** Most pages of tools/list that the guard reads; a server could always return another page. */
export const TOOL_PAGES_MAX = 100

/** Most listings that one call waits for; a server could report a change during each. */
export const LISTINGS_PER_CALL_MAX = 3

/**
 * Minimum age of a listing before it is repeated without a change notification, in milliseconds: after a failure,
 * or if it lacks the called tool. Otherwise each such call would read up to 100 pages.
 */
export const LISTING_AGE_MIN_MS = 5_000

/** Most tools of one server, more than models can choose from. */
export const TOOLS_MAX = 5_000

/** Longest canonical text of a tool definition. */
export const TOOL_DEFINITION_BYTES_MAX = 256 * 1024

/**
 * Steps for checking arguments against a schema: real checks take a few hundred. Arguments that need more are
 * refused.
 */
export const SCHEMA_STEPS_MAX = 50_000

/** Additional steps per character of the arguments: enough for a union of 16 kinds for each value. */
export const SCHEMA_STEPS_PER_CHARACTER = 16

/** Deepest nesting of references and combinations for the same value. */
export const SCHEMA_REFERENCES_MAX = 32

/** Longest tool name: with `<server>/` it must fit into the 256 characters of an action. */
export const TOOL_NAME_LENGTH_MAX = 190

/** Longest part of an unknown tool name in the metadata of the refusal. */
export const UNKNOWN_TOOL_LENGTH_MAX = 100

/** Longest name of a server. */
export const SERVER_NAME_LENGTH_MAX = 64

/** Longest part of the client's name in an approver id and in the metadata of a decision. */
export const CLIENT_NAME_LENGTH_MAX = 100

/** Longest part of the server's version in the metadata of a decision. */
export const SERVER_VERSION_LENGTH_MAX = 100

/** Longest escaped client name in an approver id, which has at most 256 characters. */
export const APPROVER_NAME_LENGTH_MAX = 200

/**
 * Longest arguments in an elicitation. For longer ones the client is not asked; the approval store shows all of
 * them.
 */
export const SHOWN_ARGUMENTS_LENGTH_MAX = 2_000

/** Longest part of a tool's error text in the outcome. */
export const TOOL_ERROR_LENGTH_MAX = 400

/**
 * Time for the process tree of the child to end after its stdin is closed, and again after SIGTERM, in
 * milliseconds. Clients kill the guard after two seconds, and the tree must end before.
 */
export const CHILD_GRACE_MS = 700

/** Time limit for recording running calls when a session ends, in milliseconds. */
export const CLOSE_GRACE_MS = 5_000

/** Most sessions over HTTP: each is a server process or a session with the server. */
export const SESSIONS_MAX = 32

/** A session without a request or an open stream ends after this time, in milliseconds. */
export const SESSION_IDLE_MS = 30 * 60_000

/** Most connections: each session has one stream and a few requests. */
export const CONNECTIONS_MAX = 256

/** Time limit for the headers and the body of one HTTP request, in milliseconds. */
export const HTTP_REQUEST_TIMEOUT_MS = 30_000

/**
 * Closes a connection without traffic, in milliseconds. A stream sends a keep-alive every 15 s, so this closes
 * connections of clients that stop reading.
 */
export const HTTP_SILENCE_MS = 120_000

/** How long a stopping guard waits for HTTP requests in progress, in milliseconds. */
export const HTTP_CLOSE_GRACE_MS = 2_000

/**
 * How long a response stays open for a single JSON text, in milliseconds; afterwards it is a stream with
 * keep-alives.
 */
export const ANSWER_AS_JSON_MS = 25_000

/** Interval of keep-alives on a stream, in milliseconds. */
export const STREAM_KEEPALIVE_MS = 15_000

/** Time limit for the first headers of a connection, which has not sent a token yet, in milliseconds. */
export const HTTP_HEADERS_TIMEOUT_MS = 5_000

/** Most connections without a token from one address. The loopback is one address. */
export const UNPROVEN_CONNECTIONS_MAX = 32

/** Bytes of an overlong body that are read to find the id of its request. */
export const HTTP_SKIPPED_BYTES_MAX = 64 * 1024 * 1024
