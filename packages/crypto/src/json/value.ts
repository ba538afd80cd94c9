/** A value that JSON can represent. Objects may have any key, including `__proto__`. */
export type JsonValue = null | boolean | number | string | readonly JsonValue[] | { readonly [key: string]: JsonValue }

/**
 * The maximum nesting depth of arrays and objects, for both encoding and parsing. Real entries are nested fewer
 * than 20 levels deep, and 128 frames of a recursive function fit easily on any stack.
 */
export const JSON_DEPTH_MAX = 128
