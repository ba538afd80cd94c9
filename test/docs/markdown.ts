// Reads the Markdown files of this repository: fenced blocks with their directives, links, and heading anchors.
//
// A directive is an HTML comment before a block. It tells `docs.test.ts` how to treat the block:
//
//   <!-- docs-test: skip: needs a registry -->   not executed, for the given reason
//   <!-- docs-test: exit 0 1 -->                 exit codes of the block's commands, in order (default: 0)
//   <!-- docs-test: file refund.ts -->           written to the page's folder before the next command runs
//   <!-- docs-test: run -->                      a complete program, whose output is the next `text` block
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

export interface Block {
  readonly page: string
  /** 1-based line of the opening fence. */
  readonly line: number
  readonly language: string
  readonly text: string
  readonly directive: string | null
}

export interface Link {
  readonly line: number
  readonly target: string
}

export interface Page {
  /** Path from the root of the repository, with slashes. */
  readonly path: string
  readonly text: string
  readonly blocks: readonly Block[]
  readonly links: readonly Link[]
  readonly anchors: ReadonlySet<string>
}

const NOT_OURS = new Set(['node_modules', 'dist', '.git', '.turbo', 'demo-output', 'test-output'])

/** Returns every Markdown file in a folder and its subfolders, sorted by name. */
export function pagesBelow(root: string, folder = ''): readonly Page[] {
  return readdirSync(join(root, folder), { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`
      if (entry.isDirectory()) return NOT_OURS.has(entry.name) ? [] : pagesBelow(root, path)
      return entry.name.endsWith('.md') ? [parsePage(path, readFileSync(join(root, path), 'utf8'))] : []
    })
}

/** Parses one page. @throws Error for a fence that is never closed, or a directive without a block after it */
export function parsePage(path: string, text: string): Page {
  const blocks: Block[] = []
  const links: Link[] = []
  const anchors = new Set<string>()
  let fence: { line: number; marks: string; language: string; lines: string[] } | null = null
  let directive: string | null = null
  for (const [index, row] of text.split('\n').entries()) {
    const line = index + 1
    if (fence !== null) {
      if (row.trim() !== fence.marks) fence.lines.push(row)
      else {
        const { line: start, language, lines } = fence
        blocks.push({ page: path, line: start, language, text: lines.join('\n'), directive })
        directive = null
        fence = null
      }
      continue
    }
    const opening = /^(`{3,})(\w*)$/.exec(row.trim())
    const comment = /^<!-- docs-test: (.+) -->$/.exec(row)
    if (opening !== null) fence = { line, marks: opening[1] ?? '', language: opening[2] ?? '', lines: [] }
    else if (comment !== null) directive = comment[1] ?? null
    else if (row.trim() !== '' && directive !== null) throw new Error(`${path}:${line}: no block after the directive`)
    const heading = /^#{1,6} (.+)$/.exec(row)
    if (heading !== null) anchors.add(freshAnchor(slugOf(heading[1] ?? ''), anchors))
    links.push(...linksOf(row).map((target) => ({ line, target })))
  }
  if (fence !== null) throw new Error(`${path}:${fence.line}: the block is not closed`)
  return { path, text, blocks, links, anchors }
}

/** Returns the anchor that GitHub gives a heading. */
function slugOf(heading: string): string {
  const shown = heading.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').replace(/[`*]/g, '')
  return shown
    .trim()
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\p{M} _-]/gu, '')
    .replaceAll(' ', '-')
}

function freshAnchor(slug: string, taken: ReadonlySet<string>): string {
  let anchor = slug
  for (let n = 1; taken.has(anchor); n++) anchor = `${slug}-${n}`
  return anchor
}

function linksOf(row: string): readonly string[] {
  const prose = row.replace(/`[^`]*`/g, (code) => '`'.repeat(code.length))
  return [...prose.matchAll(/\]\(([^()\s]+)\)/g)].map(([, target = '']) => target)
}

/** Returns the rows of the table whose header row starts with the cells in `header`. The cells are trimmed. */
export function tableRows(text: string, ...header: readonly string[]): readonly (readonly string[])[] {
  const rows = text.split('\n').map(cellsOf)
  const start = rows.findIndex((cells) => header.every((name, index) => cells[index] === name))
  if (start === -1) return []
  const end = rows.findIndex((cells, index) => index > start && cells.length === 0)
  return rows.slice(start + 2, end === -1 ? rows.length : end)
}

function cellsOf(row: string): readonly string[] {
  if (!row.startsWith('|')) return []
  // In a cell, a pipe is escaped as `\|`.
  return row
    .replace(/^\||\|\s*$/g, '')
    .split(/(?<!\\)\|/)
    .map((cell) => cell.trim().replaceAll('\\|', '|'))
}
