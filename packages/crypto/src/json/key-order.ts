/**
 * Compares two object keys under both sort orders used in ledgers.
 *
 * RFC 8785 sorts by UTF-16 code unit; Python sorts by code point. The orders differ only when a surrogate (half of
 * a code point from U+10000 up) is compared with a unit from U+E000 up: `"\ud835\udcb3"` (U+1D4B3) sorts before
 * `"\ufb01"` by code unit and after `"\ufb01"` by code point.
 */
export const EQUAL = 0
export const ASCENDING = 1
export const DESCENDING = 2
export const ASCENDING_BY_UNIT_ONLY = 3
export const ASCENDING_BY_CODE_POINT_ONLY = 4
export type KeyOrder = 0 | 1 | 2 | 3 | 4

const SURROGATE_FIRST = 0xd800
const SURROGATE_LAST = 0xdfff

/**
 * Compares `a[aStart, aEnd)` with `b[bStart, bEnd)` without copying substrings. Both strings must be well-formed
 * UTF-16.
 */
export function keyOrder(a: string, aStart: number, aEnd: number, b: string, bStart: number, bEnd: number): KeyOrder {
  const length = Math.min(aEnd - aStart, bEnd - bStart)
  for (let i = 0; i < length; i++) {
    const unitA = a.charCodeAt(aStart + i)
    const unitB = b.charCodeAt(bStart + i)
    if (unitA !== unitB) return unitOrder(unitA, unitB)
  }
  const difference = bEnd - bStart - (aEnd - aStart)
  return difference > 0 ? ASCENDING : difference < 0 ? DESCENDING : EQUAL
}

function unitOrder(a: number, b: number): KeyOrder {
  const ascending = a < b
  if (a >= SURROGATE_FIRST && b >= SURROGATE_FIRST && isSurrogate(a) !== isSurrogate(b)) {
    return ascending ? ASCENDING_BY_UNIT_ONLY : ASCENDING_BY_CODE_POINT_ONLY
  }
  return ascending ? ASCENDING : DESCENDING
}

const isSurrogate = (unit: number): boolean => unit >= SURROGATE_FIRST && unit <= SURROGATE_LAST
