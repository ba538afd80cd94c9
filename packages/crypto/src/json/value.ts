/** A value that JSON can write. Objects may have any prototype-free key, `__proto__` included. */
export type JsonValue = null | boolean | number | string | readonly JsonValue[] | { readonly [key: string]: JsonValue }

/**
 * How many arrays and objects may stand inside one another, for writing and for reading. Real entries nest fewer than
 * 20; 128 frames of a recursive walk are far from the end of any stack.
 */
export const JSON_DEPTH_MAX = 128
