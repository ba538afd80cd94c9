/**
 * An oracle for tests: two JSON texts mean the same when their exact forms are deeply equal. Numbers are compared as
 * decimals, not as doubles, because the python profile has more digits than a double.
 */
export function exactJson(text: string): unknown {
  // Strings get the mark s and numbers become strings with the mark n, so that neither can pass for the other.
  const marked = text.replace(/"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*/g, (token) =>
    token.startsWith('"') ? `"s${token.slice(1)}` : JSON.stringify(`n${exactNumber(token)}`),
  )
  return JSON.parse(marked)
}

/** `<digits>e<exponent>` without leading or trailing zeros. */
function exactNumber(token: string): string {
  const [, sign = '', whole = '', fraction = '', exponent = '0'] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(token) ?? []
  const digits = (whole + fraction).replace(/^0+/, '')
  const significant = digits.replace(/0+$/, '')
  if (significant === '') return '0'
  const shift = digits.length - significant.length - fraction.length
  return `${sign}${significant}e${BigInt(exponent) + BigInt(shift)}`
}

/** Whether an object in a text that JSON.parse reads has a key twice: then JSON.parse keeps fewer than are written. */
export function hasDuplicateKey(text: string): boolean {
  const written = [...text.matchAll(/"(?:[^"\\]|\\.)*"(\s*:)?/g)].filter((match) => match[1] !== undefined).length
  return written !== countKeys(JSON.parse(text))
}

function countKeys(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  const members = Object.values(value)
  const own = Array.isArray(value) ? 0 : members.length
  return members.reduce((sum: number, member) => sum + countKeys(member), own)
}

/** Whether a text, or any string or key it stands for, holds half a character. */
export function hasLoneSurrogate(text: string): boolean {
  if (/\p{Surrogate}/u.test(text)) return true
  return [...text.matchAll(/"(?:[^"\\]|\\.)*"/g)].some(([token]) => /\p{Surrogate}/u.test(String(JSON.parse(token))))
}

/** How many containers nest in a text that JSON.parse reads. */
export function depthOf(text: string): number {
  let depth = 0
  let deepest = 0
  for (const [bracket] of text.replace(/"(?:[^"\\]|\\.)*"/g, '').matchAll(/[[\]{}]/g)) {
    depth += bracket === '[' || bracket === '{' ? 1 : -1
    deepest = Math.max(deepest, depth)
  }
  return deepest
}
