// Extracts the prose of a Markdown page: paragraphs, list items, headings, and table cells that are long enough to be
// sentences.
import { parse } from '@textlint/markdown-to-ast'
import { CODE, mask, maskAll } from './passage.mjs'

/** A shorter cell is a name; a cell with fewer words outside code is a list of names. */
const CELL_WORDS_MIN = 5
const CELL_PLAIN_WORDS_MIN = 3

const PROSE = new Set(['Paragraph', 'Header', 'TableCell'])

export function docsPassages(source) {
  const passages = []
  visit(parse(source), (node) => {
    if (PROSE.has(node.type) && isProse(node, source)) passages.push({ kind: 'docs', ...docsPassage(node, source) })
  })
  return passages
}

/** Whether a node of the page's tree is checked. */
export function isProse(node, source) {
  if (node.type !== 'TableCell') return true
  const { text } = docsPassage(node, source)
  return wordsIn(text) >= CELL_WORDS_MIN && wordsIn(text.replaceAll(CODE, '')) >= CELL_PLAIN_WORDS_MIN
}

/** @returns the passage of a node; code spans are placeholders, link addresses are blank */
export function docsPassage(node, source) {
  let text = source.slice(...node.range)
  const at = node.range[0]
  visit(node, (child) => {
    const [start, end] = child.range
    if (child.type === 'Code') text = mask(text, start - at, end - at, CODE)
    if (child.type === 'Html' || child.type === 'Image') text = mask(text, start - at, end - at)
    if (child.type === 'Link') {
      const label = child.children?.at(-1)?.range[1] ?? start
      text = mask(mask(text, start - at, start - at + 1), label - at, end - at)
    }
  })
  // “…” in a table is a test title.
  if (node.type === 'TableCell') text = maskAll(text.replace(/^\||\|$/g, ' '), /“[^”]*”/g, CODE)
  if (node.type === 'Header') text = text.replace(/^#+/, (marks) => ' '.repeat(marks.length))
  return { index: at, text, source: source.slice(...node.range), heading: node.type === 'Header' }
}

const wordsIn = (text) => text.match(/[\p{L}▮][\p{L}▮'-]*/gu)?.length ?? 0

function visit(node, use) {
  use(node)
  for (const child of node.children ?? []) visit(child, use)
}
