// A passage is a piece of prose: a paragraph, a table cell, a comment or a message. Its text has the same length
// as the part of the file that it comes from: code, comment marks and quotes are replaced by blanks or
// placeholders. An index into the text is therefore an index into the file.

/** Placeholder for code inside a sentence. */
export const CODE = '▮'

/** Placeholder for the value of a template substitution. */
export const VALUE = '…'

/** Placeholder for removed characters, so that the length does not change. It is not printed. */
export const NOTHING = '\u2060'

/** Replaces `text` from `start` to `end` with `filler`, except for line breaks. */
export function mask(text, start, end, filler = ' ') {
  return text.slice(0, start) + text.slice(start, end).replace(/[^\n]/g, filler) + text.slice(end)
}

/** Replaces every match, except line breaks. */
export const maskAll = (text, pattern, filler = ' ') =>
  text.replace(pattern, (found) => found.replace(/[^\n]/g, filler))

/**
 * Returns the sentences of a passage, each on one line, with its start index.
 *
 * @param source - the passage before masking, used to print the code
 */
export function sentencesOf({ text, source }) {
  const sentences = []
  const end = /[.!?]["')\]”*_]*\s+(?=["'([“`*_]*[\p{Lu}▮…])|$/gu
  let start = 0
  for (const { index, 0: found } of text.matchAll(end)) {
    const stop = index + found.length
    const words = onOneLine(text.slice(start, stop))
    if (words !== '') {
      const lead = text.slice(start).search(/\S/)
      sentences.push({ index: start + lead, text: shown(text.slice(start, stop), source.slice(start, stop)) })
    }
    start = stop
  }
  return sentences
}

export const onOneLine = (text) => text.replaceAll(NOTHING, '').replace(/…+/g, '…').replace(/\s+/g, ' ').trim()

/** Returns the masked sentence with its code restored. */
function shown(text, source) {
  return onOneLine(text.replace(/▮+/g, (found, index) => source.slice(index, index + found.length)))
}
