// Extracts the prose of a TypeScript or JavaScript file: its comments, and the string literals that a user reads.
import ts from 'typescript'
import { CODE, mask, maskAll, NOTHING, VALUE } from './passage.mjs'

/** A string with fewer words is a name, a code or a flag, not a message. */
const MESSAGE_WORDS_MIN = 3

/** Folders whose strings are shown to users. */
const SPEAKS = /^(?:packages|apps)\/[^/]+\/src\/(?!secret\/)/

const NOT_MESSAGES = [
  /^\s*(?:SELECT|INSERT|UPDATE|DELETE|CREATE|ALTER|DROP|GRANT|REVOKE|BEGIN|COMMIT|PRAGMA|SET|LOCK|WITH|DO|COPY|NOTIFY|SHOW|VALUES)\b/,
  /\b(?:FROM|WHERE|RETURNS|LANGUAGE|REFERENCES|PRIMARY KEY|NOT NULL|ORDER BY|THEN RAISE)\b/,
  /[{};]\s*(?:\n|$)|^\s*<|=>|\$\d/,
]

export function sourcePassages(path, source) {
  const file = ts.createSourceFile(path, source, ts.ScriptTarget.Latest, true)
  const messages = SPEAKS.test(path) ? messagesIn(file, source) : []
  return [...commentsIn(file, source), ...messages].sort((a, b) => a.index - b.index)
}

function messagesIn(file, source) {
  const passages = []
  const visit = (node) => {
    if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node) || ts.isLiteralTypeNode(node)) return
    if (ts.isTaggedTemplateExpression(node)) return
    if (!isText(node)) return ts.forEachChild(node, visit)
    const start = node.getStart()
    const text = textOf(node, source.slice(start, node.end), start)
    if (isMessage(text)) passages.push({ kind: 'messages', index: start, text, source: text })
  }
  visit(file)
  return passages
}

/** A literal, a template, or a concatenation of them. */
function isText(node) {
  if (ts.isBinaryExpression(node) && node.operatorToken.kind === ts.SyntaxKind.PlusToken) {
    return isText(node.left) || isText(node.right)
  }
  return ts.isStringLiteral(node) || ts.isTemplateExpression(node) || ts.isNoSubstitutionTemplateLiteral(node)
}

/** The words of a literal. Quotes and operators become blanks, computed parts become placeholders. */
function textOf(node, source, at) {
  let text = source
  const blank = (start, end, filler) => {
    text = mask(text, start - at, end - at, filler)
  }
  const visit = (part) => {
    if (ts.isBinaryExpression(part)) {
      blank(part.left.end, part.right.getStart())
      visit(part.left)
      visit(part.right)
    } else if (ts.isTemplateExpression(part)) {
      blank(part.getStart(), part.getStart() + 1)
      for (const [index, span] of part.templateSpans.entries()) {
        const before = index === 0 ? part.head.end : (part.templateSpans[index - 1]?.literal.end ?? at)
        blank(before - 2, span.literal.getStart() + 1, VALUE)
      }
      blank(part.end - 1, part.end)
    } else if (isText(part)) {
      blank(part.getStart(), part.getStart() + 1)
      blank(part.end - 1, part.end)
    } else blank(part.getStart(), part.end, VALUE)
  }
  visit(node)
  // A line break in a message becomes a blank; an escaped quote becomes a quote.
  return text.replace(/\\n/g, '  ').replace(/\\(.)/g, `${NOTHING}$1`)
}

function isMessage(text) {
  if (NOT_MESSAGES.some((pattern) => pattern.test(text))) return false
  const words = text.match(/(?<![\w./-])\p{L}\p{Ll}*(?:'\p{Ll}+)?(?![\w/])/gu) ?? []
  return words.length >= MESSAGE_WORDS_MIN
}

function commentsIn(file, source) {
  const ranges = new Map()
  const visit = (node) => {
    for (const range of ts.getLeadingCommentRanges(source, node.getFullStart()) ?? []) ranges.set(range.pos, range)
    for (const range of ts.getTrailingCommentRanges(source, node.end) ?? []) ranges.set(range.pos, range)
    if (!ts.isJSDoc(node)) for (const child of node.getChildren(file)) visit(child)
  }
  visit(file)
  return joined(
    [...ranges.values()].sort((a, b) => a.pos - b.pos),
    source,
  ).flatMap(({ pos, end }) => paragraphsOf(pos, source.slice(pos, end)))
}

/** Adjacent line comments are one comment. */
function joined(ranges, source) {
  const comments = []
  for (const range of ranges) {
    const last = comments.at(-1)
    const isLine = range.kind === ts.SyntaxKind.SingleLineCommentTrivia
    if (last?.isLine && isLine && /^\r?\n[ \t]*$/.test(source.slice(last.end, range.pos))) last.end = range.end
    else comments.push({ pos: range.pos, end: range.end, isLine })
  }
  return comments
}

/** The paragraphs of a comment; a tag or a list item starts a new one. Examples and directives are omitted. */
function paragraphsOf(at, source) {
  let text = maskAll(source, /^\/\*\*?|\*\/$/g)
  text = maskAll(text, /^[ \t]*(?:\*(?!\*)|\/\/+)/gm)
  text = maskAll(text, /@example\b[\s\S]*?(?=\n\s*@|$)|```[\s\S]*?```/g)
  text = maskAll(text, /^.*(?:biome-ignore|@ts-expect-error|<reference |prose-allow|#!).*$/gm)
  // An indented line is code or a table.
  text = maskAll(text, /^(?:[ \t]*(?:\*|\/\/)?)[ \t]{7,}\S.*$/gm)
  text = maskAll(text, /`[^`]*`/g, CODE)
  text = maskAll(text, /https?:\/\/\S+/g, CODE)
  text = maskAll(text, /\{@link\s|(?<=\{@link[^}]*)\}/g)
  text = maskAll(text, /@(?:param|typeParam)\s+[\w.]+\s+-|@(?:returns|throws|see|remarks|default)\b/g, '\u0000')
  text = maskAll(text, /^[ \t]*(?:[-*]|\d+\.)(?= )/gm, '\u0000')
  const passages = []
  for (const { index, 0: part } of text.matchAll(/(?:(?!\n[ \t]*\n)[^\u0000])+/g)) {
    const words = part.match(/[\p{L}▮][\p{L}▮'-]*/gu) ?? []
    if (words.length < 2) continue
    passages.push({ kind: 'comments', index: at + index, text: part, source: source.slice(index, index + part.length) })
  }
  return passages
}
