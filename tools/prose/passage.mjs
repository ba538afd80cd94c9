// A passage is a piece of prose: a paragraph, a table cell, a comment or a message. Its text has the same length
// as the part of the file that it comes from: code, comment marks and quotes are replaced by blanks or
// placeholders. An index into the text is therefore an index into the file.

/** Stands for a piece of code inside a sentence. */
export const CODE = '▮'

/** Stands for the value of a template literal's substitution. */
export const VALUE = '…'

/** Keeps the length of a text from which something is taken away; it is not shown. */
export const NOTHING = '\u2060'

/** Replaces `text` from `start` to `end` by `filler`; line breaks stay. */
export function mask(text, start, end, filler = ' ') {
  return text.slice(0, start) + text.slice(start, end).replace(/[^\n]/g, filler) + text.slice(end)
}

/** Replaces everything that matches, line breaks aside. */
export const maskAll = (text, pattern, filler = ' ') =>
  text.replace(pattern, (found) => found.replace(/[^\n]/g, filler))

/**
 * The sentences of a passage, on one line each, with the index at which they start.
 *
 * @param source - text of the passage before it was masked, so that code is shown
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

/** The masked sentence with its code put in again. */
function shown(text, source) {
  return onOneLine(text.replace(/▮+/g, (found, index) => source.slice(index, index + found.length)))
}
