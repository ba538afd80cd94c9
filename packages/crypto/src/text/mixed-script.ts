// Finds words that mix scripts: a Cyrillic `а` in a Latin word looks like an `a` but names another host, file or
// person. Words that Unicode Technical Standard 39 calls highly restrictive are accepted: one script, or Latin with
// the scripts of Chinese, Japanese or Korean.

/**
 * The distinguished scripts; letters of all others count as one more script. Latin is first: at a tie, its letters
 * are kept.
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

/** Writing systems of more than one script. Each of them also uses Latin words. */
const SYSTEMS: Readonly<Record<string, readonly string[]>> = {
  Latin: ['Japanese', 'Chinese', 'Korean'],
  Han: ['Japanese', 'Chinese', 'Korean'],
  Hiragana: ['Japanese'],
  Katakana: ['Japanese'],
  Bopomofo: ['Chinese'],
  Hangul: ['Korean'],
}

/** Escapes of JSON and of this package. Their letters are not part of a word. */
const ESCAPE = String.raw`\\(?:u\{[0-9a-f]+\}|u[0-9a-fA-F]{4}|["\\/bfnrt])`
const ESCAPES_AND_WORDS = new RegExp(`${ESCAPE}|[\\p{L}\\p{M}\\p{N}]+`, 'gu')
const ESCAPES = new RegExp(ESCAPE, 'gu')
/** Runs without white space: a host, a path, a name with its parts. */
const TOKENS = /\S+/gu
const NOT_ASCII = /[^\u0000-\u007f]/

/**
 * Letters that look like Latin ones. A word of only these is marked if Latin words are joined to it, as in a host
 * name.
 */
const LOOK_ALIKES = /^[авекмнорстухіјѕѡԁԛԝһӏԍαενικορτυχϲϳաոսցօ]+$/iu
const LATIN = /\p{Script=Latin}/u

/** Forms of ASCII characters, and characters that look like one without being a form of it. */
const FULL_WIDTH = /[\uff01-\uff5e]/u
const DOUBLES =
  /[\u{1d400}-\u{1d7ff}\u01c3\u02d0\u2024\u2044\u2215\u2216\u2236\u29f5\u29f8\u29f9\ua789\ufe52\ufe55\ufe68]/u
/** Strokes of East Asian scripts that look like `/`, `-` and `|`, between ASCII characters. */
const STROKES = /(?<=[!-~])[ノー一丶丿〳ㅡㅣㆍ]+(?=[!-~])/u
const ALL_DOUBLES = new RegExp(`${FULL_WIDTH.source}|${DOUBLES.source}|${STROKES.source}`, 'gu')
/** Full stops that look like `:`, in tokens with Latin letters. */
const FOREIGN_COLONS = /[\u0589\u05c3]/gu
const EAST_ASIAN = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Bopomofo}]/u

/**
 * Escapes letters that make a word look like another one: those of a different script from most letters of the
 * word, forms of ASCII characters, and words of only lookalikes that are joined to Latin ones. ASCII letters are
 * escaped if they are the minority.
 *
 * @param text - without invisible characters
 * @param replace - returns the replacement of one letter
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
 * Whether a word in the text mixes scripts, has forms of ASCII characters, or has only lookalikes and is joined to
 * Latin words.
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
 * The scripts of one character, by its Script_Extensions, and their writing systems; empty for digits, accents and
 * the like.
 */
function scriptsOf(char: string): readonly string[] {
  if (OF_ANY.test(char)) return []
  const own = IS_OF.filter(([, pattern]) => pattern.test(char)).map(([name]) => name)
  return own.length === 0 ? ['other'] : [...own, ...new Set(own.flatMap((name) => SYSTEMS[name] ?? []))]
}
