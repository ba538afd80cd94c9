/**
 * Every bound of the guard, with its reason. Both sides are strangers: the client runs what a model says, the server is somebody else's
 * program. Nothing that either sends may make the guard hold more than these.
 */

/** One message from the client. Arguments are held to 256 Ki characters by the engine; the rest is room for `_meta` and escapes. */
export const CLIENT_MESSAGE_BYTES_MAX = 4 * 1024 * 1024

/** One message from the server: an image or a file of several megabytes in base64 fits, a hundred do not. */
export const SERVER_MESSAGE_BYTES_MAX = 16 * 1024 * 1024

/** Containers inside one another. The engine allows arguments 32; schemas of tools seldom pass 20. */
export const MESSAGE_DEPTH_MAX = 64

/** The same for a message of the server, which is not decided on: a deep result still passes, and a recursive reader ends. */
export const SERVER_MESSAGE_DEPTH_MAX = 1_000

/** Of one line that is too long, how much is skipped to find its end, before its sender is given up. */
export const SKIPPED_BYTES_MAX = 1024 * 1024 * 1024

/** Values in the arguments of one call: the engine refuses more. */
export const ARGUMENT_VALUES_MAX = 10_000

/** Requests of one side that wait for an answer. A client with more at once is a loop, not a person with an agent. */
export const REQUESTS_MAX = 64

/** Calls of one session whose approval is open: more questions than this nobody answers. */
export const OPEN_APPROVALS_MAX = 16

/** How long a server may take for one answer, in milliseconds, unless told otherwise: builds and crawls take minutes. */
export const CALL_TIMEOUT_MS_DEFAULT = 600_000

/** How long a client may take to answer the server (sampling, a person at an elicitation). */
export const CLIENT_TIMEOUT_MS = 600_000

/** Node's timers hold 31 bits; a longer wait would fire at once. */
export const WAIT_MS_MAX = 2 ** 31 - 1

/** How long a refusal that came when nobody waited is kept for the client to hear: as long as an approval is open by default. */
export const ANSWERS_KEPT_MS = 300_000

/** And how many of them, the newest. */
export const ANSWERS_KEPT_MAX = 64

/**
 * How long a call waits for its approval before it is answered with "pending": below the 5 s after which several clients give up without a
 * word, so that an approved call runs for a caller who is there.
 */
export const HOLD_MS_DEFAULT = 4_000

/** How often a client hears that a call still waits. Clients that count silence count at least this long. */
export const PROGRESS_INTERVAL_MS = 2_000

/**
 * How long before its deadline an approval that was given must be picked up. It is used, and the decision written, in that time.
 */
export const PICK_UP_MARGIN_MS = 500

/** How long a server that does not answer about its tools keeps a call waiting. */
export const CATALOGUE_TIMEOUT_MS = 30_000

/** Pages of one tools/list that the guard reads by itself; a server that always has another page would never be done. */
export const TOOL_PAGES_MAX = 100

/** Listings that one call may wait for: a server that says "changed" while it is being read would never be done. */
export const LISTINGS_PER_CALL_MAX = 3

/**
 * How old a listing is at least before it is repeated without word from the server, in milliseconds: one that failed, or one that does not
 * have the tool that is called. Otherwise each such call would read up to 100 pages.
 */
export const LISTING_AGE_MIN_MS = 5_000

/** Tools of one server. Models cannot choose among as many. */
export const TOOLS_MAX = 5_000

/** Canonical text of one tool definition. */
export const TOOL_DEFINITION_BYTES_MAX = 256 * 1024

/** Steps of one check of arguments against a schema: real ones take some hundreds. Arguments that take more are refused. */
export const SCHEMA_STEPS_MAX = 50_000

/** And for each character of the arguments: a union of that many kinds for each value. */
export const SCHEMA_STEPS_PER_CHARACTER = 16

/** References and combinations of one schema about the same value, one inside the other. */
export const SCHEMA_REFERENCES_MAX = 32

/** With `<server>/` in front of it, and the 256 characters that an action may have. */
export const TOOL_NAME_LENGTH_MAX = 190

/** Of the name of a tool that the server does not show, in the metadata of the refusal. */
export const UNKNOWN_TOOL_LENGTH_MAX = 100

/** As long as a server's name may be. */
export const SERVER_NAME_LENGTH_MAX = 64

/** Of a client's own name, in the id of an approver and in the metadata of a decision. */
export const CLIENT_NAME_LENGTH_MAX = 100

/** Of the version that a server says it has, in the metadata of a decision. */
export const SERVER_VERSION_LENGTH_MAX = 100

/** Of a client's name in the id of an approver, escaped: ids have at most 256 characters. */
export const APPROVER_NAME_LENGTH_MAX = 200

/** Of arguments in an elicitation. Where there is more, the client is not asked: all of them are in the approval store. */
export const SHOWN_ARGUMENTS_LENGTH_MAX = 2_000

/** Of a failed tool's own words, in the outcome. */
export const TOOL_ERROR_LENGTH_MAX = 400

/**
 * How long the child's tree has after its stdin was closed, and again after SIGTERM, in milliseconds. Clients give a server two seconds
 * before they kill it, and that is the guard: its own tree has to be gone by then.
 */
export const CHILD_GRACE_MS = 700

/** How long the records of calls that were under way may take when a session ends. */
export const CLOSE_GRACE_MS = 5_000

/** Sessions at once over HTTP: each is a server process, or a session at the server. */
export const SESSIONS_MAX = 32

/** A session without a request or an open stream for this long is over, in milliseconds. */
export const SESSION_IDLE_MS = 30 * 60_000

/** Connections at once: each session has one stream and a few requests. */
export const CONNECTIONS_MAX = 256

/** For the headers and the body of one HTTP request. */
export const HTTP_REQUEST_TIMEOUT_MS = 30_000

/** Without any traffic, in whatever state: a stream has a sign of life every 15 s, so this ends who does not read. */
export const HTTP_SILENCE_MS = 120_000

/** How long a stopping guard waits for HTTP requests that are being answered. */
export const HTTP_CLOSE_GRACE_MS = 2_000

/** How long an HTTP answer may become one JSON text; after that it is a stream, so that its connection shows signs of life. */
export const ANSWER_AS_JSON_MS = 25_000

/** Between two signs of life on a stream. */
export const STREAM_KEEPALIVE_MS = 15_000

/** How long a connection may take for its first headers: whoever holds it has not shown a token yet. */
export const HTTP_HEADERS_TIMEOUT_MS = 5_000

/** Connections at once of one address that has shown no token yet. The loopback is one address. */
export const UNPROVEN_CONNECTIONS_MAX = 32

/** Of a body that is too large, how much is read for the id of its request. */
export const HTTP_SKIPPED_BYTES_MAX = 64 * 1024 * 1024
