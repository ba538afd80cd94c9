/** A value that JSON can represent. Objects may have any key, including `__proto__`. */
export type JsonValue = null | boolean | number | string | readonly JsonValue[] | { readonly [key: string]: JsonValue }

/**
 * The maximum nesting of arrays and objects, for writing and for reading. Real entries nest fewer than 20 levels,
 * and 128 frames of a recursive function are far below the limit of any stack.
 */
export const JSON_DEPTH_MAX = 128
