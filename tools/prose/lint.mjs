// Runs textlint with the rules of `rules.mjs`: on Markdown with textlint's plugin, on sources with a plugin that
// turns comments and messages into paragraphs.
//
// An exception names the rule and a reason, in a comment at most three lines above the hit: `prose-allow lie:
// about a liar`.
import { TextlintKernel } from '@textlint/kernel'
import markdown from '@textlint/textlint-plugin-markdown'
import { docsPassage, isProse } from './markdown.mjs'
import { COMMENT_COLUMNS_MAX, RULES } from './rules.mjs'
import { sourcePassages } from './source.mjs'

const kernel = new TextlintKernel()
const SOURCES = ['.ts', '.mts', '.mjs']

/** Turns a source file into a textlint tree: one paragraph for each comment and message; everything else is blank. */
class SourceProcessor {
  availableExtensions() {
    return SOURCES
  }

  processor() {
    return {
      preProcess: (source, path) => treeOf(path, source),
      postProcess: (messages, filePath) => ({ messages, filePath }),
    }
  }
}

function treeOf(path, source) {
  let text = source.replace(/[^\n]/g, ' ')
  const starts = [0]
  for (const { index } of source.matchAll(/\n/g)) starts.push(index + 1)
  const positionOf = (index) => {
    let line = 0
    while (line + 1 < starts.length && starts[line + 1] <= index) line++
    return { line: line + 1, column: index - starts[line] }
  }
  const node = (type, start, end, rest) => ({
    type,
    raw: text.slice(start, end),
    range: [start, end],
    loc: { start: positionOf(start), end: positionOf(end) },
    ...rest,
  })
  const passages = sourcePassages(path, source)
  for (const passage of passages) {
    text = text.slice(0, passage.index) + passage.text + text.slice(passage.index + passage.text.length)
  }
  const paragraphs = passages.map(({ index, text: value }) => {
    const end = index + value.length
    return node('Paragraph', index, end, { children: [node('Str', index, end, { value })] })
  })
  return { text, ast: node('Document', 0, text.length, { children: paragraphs }) }
}

function plainEnglish({ Syntax, RuleError, getSource, report, getFilePath }) {
  const check = (node) => {
    const { text, heading } = passageOf(node)
    for (const { id, pattern, advice, headings } of RULES) {
      if (heading && !headings) continue
      for (const { index, 0: found } of text.matchAll(pattern)) {
        const shown = found.replace(/[\s\u2060]+/g, ' ').trim()
        const lead = found.search(/[\p{L}▮]/u)
        report(node, new RuleError(`${id}: “${shown}”; write ${advice}`, { index: index + lead }))
      }
    }
  }
  const isMarkdown = getFilePath().endsWith('.md')
  const passageOf = (node) => {
    if (!isMarkdown) return { text: trimmed(getSource(node)), heading: false }
    const page = getSource()
    if (!isProse(node, page)) return { text: '', heading: false }
    const passage = docsPassage(node, page)
    return { ...passage, text: trimmed(passage.text) }
  }
  return { [Syntax.Paragraph]: check, [Syntax.Header]: check, [Syntax.TableCell]: check }
}

/** Replaces the blanks at the start with characters that the patterns ignore, so that indexes stay the same. */
const trimmed = (text) => text.replace(/^\s+(?=\S)/, (blanks) => '\u2060'.repeat(blanks.length))

/**
 * Checks one file.
 *
 * @returns the hits, sorted by line; each message starts with the id of its rule
 */
export async function lintProse(path, source) {
  const extension = path.slice(path.lastIndexOf('.'))
  const { messages } = await kernel.lintText(source, {
    filePath: path,
    ext: extension,
    plugins: [
      { pluginId: 'markdown', plugin: markdown.default ?? markdown },
      { pluginId: 'source', plugin: { Processor: SourceProcessor } },
    ],
    rules: [{ ruleId: 'plain-english', rule: plainEnglish }],
  })
  const lines = source.split('\n')
  const hits = messages.map(({ line, message }) => ({ line, message }))
  return [...hits, ...wideComments(path, lines)]
    .filter(({ line, message }) => !isAllowed(lines, line, message))
    .sort((a, b) => a.line - b.line)
}

function wideComments(path, lines) {
  if (path.endsWith('.md')) return []
  return lines.flatMap((text, index) => {
    const isComment = /^\s*(?:\/\/|\/?\*)/.test(text) && !/https?:\/\/\S{40}|biome-ignore/.test(text)
    if (!isComment || text.length <= COMMENT_COLUMNS_MAX) return []
    return [{ line: index + 1, message: `comment-width: ${text.length} columns; wrap at ${COMMENT_COLUMNS_MAX}` }]
  })
}

/** Maximum distance between an exception and its hit. */
const EXCEPTION_LINES = 3

function isAllowed(lines, line, message) {
  const id = message.slice(0, message.indexOf(':'))
  return lines
    .slice(Math.max(0, line - 1 - EXCEPTION_LINES), line)
    .some((text) => /prose-allow ([\w-]+): \S.{9,}/.exec(text)?.[1] === id)
}
