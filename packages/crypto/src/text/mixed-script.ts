// Finds words that mix scripts. A Cyrillic `а` in a Latin word looks like an `a`, but the word then names a
// different host, file or person. Words at the Highly Restrictive level of Unicode Technical Standard #39 are
// accepted: words in one script, or in Latin and the scripts of Chinese, Japanese or Korean.

/**
 * The scripts that are distinguished. The letters of all other scripts count as one additional script. Latin is first
 * so that, in a tie, the Latin letters are kept.
 */
const SCRIPTS = [
  'Latin Greek Cyrillic Armenian Hebrew Arabic Syriac Thaana Nko Devanagari Bengali Gurmukhi Gujarati Oriya Tamil Telugu Kannada Malayalam',
  'Sinhala Thai Lao Tibetan Myanmar Georgian Ethiopic Cherokee Canadian_Aboriginal Khmer Mongolian Han Hiragana Katakana Bopomofo Hangul Yi',
  'Lisu Coptic Gothic Deseret Osage Tifinagh Vai Bamum Adlam Runic Ogham Warang_Citi Glagolitic Javanese Balinese Cham Tai_Tham',
]
  .join(' ')
  .split(' ')
const IS_OF = SCRIPTS.map((name) => [name, new RegExp(`^\\p{Script_Extensions=${name}}`, 'u')] as const)
const OF_ANY = /^[\p{Script_Extensions=Common}\p{Script_Extensions=Inherited}]/u

/** The writing systems that combine several scripts. Each also uses Latin words. */
const SYSTEMS: Readonly<Record<string, readonly string[]>> = {
  Latin: ['Japanese', 'Chinese', 'Korean'],
  Han: ['Japanese', 'Chinese', 'Korean'],
  Hiragana: ['Japanese'],
  Katakana: ['Japanese'],
  Bopomofo: ['Chinese'],
  Hangul: ['Korean'],
}

/** Matches JSON escapes and the escapes of this package. The letters in an escape are not part of a word. */
const ESCAPE = String.raw`\\(?:u\{[0-9a-f]+\}|u[0-9a-fA-F]{4}|["\\/bfnrt])`
const ESCAPES_AND_WORDS = new RegExp(`${ESCAPE}|[\\p{L}\\p{M}\\p{N}]+`, 'gu')
const ESCAPES = new RegExp(ESCAPE, 'gu')
/** Matches runs without white space, such as a host, a path or a dotted name. */
const TOKENS = /\S+/gu
const NOT_ASCII = /[^\u0000-\u007f]/

/**
 * Matches a word that consists only of letters that look Latin. Such a word is escaped if it is joined to Latin
 * words, as in a host name.
 */
const LOOK_ALIKES = /^[авекмнорстухіјѕѡԁԛԝһӏԍαενικορτυχϲϳաոսցօ]+$/iu
const LATIN = /\p{Script=Latin}/u

/** Variants of ASCII characters, and other characters that look like ASCII characters. */
const FULL_WIDTH = /[\uff01-\uff5e]/u
const DOUBLES =
  /[\u{1d400}-\u{1d7ff}\u01c3\u02d0\u2024\u2044\u2215\u2216\u2236\u29f5\u29f8\u29f9\ua789\ufe52\ufe55\ufe68]/u
/** Matches East Asian strokes between ASCII characters that look like `/`, `-` or `|`. */
const STROKES = /(?<=[!-~])[ノー一丶丿〳ㅡㅣㆍ]+(?=[!-~])/u
const ALL_DOUBLES = new RegExp(`${FULL_WIDTH.source}|${DOUBLES.source}|${STROKES.source}`, 'gu')
/** Matches full stops that look like `:`. They are escaped in tokens with Latin letters. */
const FOREIGN_COLONS = /[\u0589\u05c3]/gu
const EAST_ASIAN = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Bopomofo}]/u

/**
 * Escapes letters that make a word look like a different word: letters whose script differs from the majority of
 * the word, variants of ASCII characters, and words of lookalike letters that are joined to Latin words. If ASCII
 * letters are the minority in a word, they are escaped.
 *
 * @param text - text without invisible characters
 * @param replace - returns the replacement for one letter
 */
export function foreignLetters(text: string, replace: (char: string) => string): string {
  if (!NOT_ASCII.test(text)) return text
  const each = (run: string): string => Array.from(run, replace).join('')
  return text.replace(TOKENS, (token) => {
    if (!NOT_ASCII.test(token)) return token
    const wide = EAST_ASIAN.test(token)
    const latin = LATIN.test(token.replace(ESCAPES, ''))
    const plain = token
      .replace(ALL_DOUBLES, (run) => (wide && FULL_WIDTH.test(run) ? run : each(run)))
      .replace(FOREIGN_COLONS, (colon) => (latin ? replace(colon) : colon))
    return plain.replace(ESCAPES_AND_WORDS, (word) => {
      if (!NOT_ASCII.test(word)) return word
      if (latin && LOOK_ALIKES.test(word)) return each(word)
      return foreignIn(word, replace)
    })
  })
}

/**
 * Reports whether the text has a word that mixes scripts, contains variants of ASCII characters, or consists of
 * lookalike letters and is joined to Latin words.
 *
 * @example hasMixedScript('delet\u0435') // true: the last letter is Cyrillic
 */
export function hasMixedScript(text: string): boolean {
  let found = false
  foreignLetters(text, (char) => {
    found = true
    return char
  })
  return found
}

function foreignIn(word: string, replace: (char: string) => string): string {
  const chars = Array.from(word)
  const counts = new Map<string, number>()
  let letters = 0
  for (const char of chars) {
    const scripts = scriptsOf(char)
    if (scripts.length > 0) letters += 1
    for (const script of scripts) counts.set(script, (counts.get(script) ?? 0) + 1)
  }
  const [most, count] = [...counts].reduce(
    (a, b) => (b[1] > a[1] || (b[1] === a[1] && b[0] === 'Latin') ? b : a),
    ['', 0],
  )
  if (count === letters) return word
  return chars.map((char) => (belongs(char, most) ? char : replace(char))).join('')
}

function belongs(char: string, script: string): boolean {
  const scripts = scriptsOf(char)
  return scripts.length === 0 || scripts.includes(script)
}

/**
 * Returns the scripts in the Script_Extensions of a character and the writing systems of those scripts. Empty for
 * digits, accents and similar characters.
 */
function scriptsOf(char: string): readonly string[] {
  if (OF_ANY.test(char)) return []
  const own = IS_OF.filter(([, pattern]) => pattern.test(char)).map(([name]) => name)
  return own.length === 0 ? ['other'] : [...own, ...new Set(own.flatMap((name) => SYSTEMS[name] ?? []))]
}
