// Tests the documents: links have targets, commands print the shown output, code compiles and runs, threats name
// existing tests, and the command line reference matches `--help`. `docs/markdown.ts` describes the directives.
import { execFile } from 'node:child_process'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { join, posix } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { AllowAllPolicy, MemoryBudget, REASON_CODES, SudoEngine } from '../packages/core/dist/index.js'
import { MemoryLedger } from '../packages/ledger/dist/store/memory.js'
import { POLICY_FILE_CODES } from '../packages/policy/dist/index.js'
import { type Page, pagesBelow, tableRows } from './docs/markdown.js'
import { makeReaderFolder, type ReaderFolder } from './docs/reader-folder.js'
import { NEED_FRAMEWORKS, programsOf, runPage } from './docs/run-page.js'
import { typeErrors } from './docs/type-check.js'
import { isLong } from './tier.js'

const root = fileURLToPath(new URL('..', import.meta.url))
const pages = pagesBelow(root)
const documents = pages.filter(({ path }) => path === 'README.md' || path.startsWith('docs/'))
const pageAt = (path: string): Page => {
  const page = pages.find((candidate) => candidate.path === path)
  if (page === undefined) throw new Error(`${path} is missing`)
  return page
}
/** Returns the first code span of a table cell. */
const codeIn = (cell: string | undefined): string => /`([^`]+)`/.exec(cell ?? '')?.[1] ?? ''

let reader: ReaderFolder
beforeAll(async () => {
  reader = await makeReaderFolder(root)
})
afterAll(() => reader.remove())

it('finds the documents', () => {
  const names = ['README.md', 'CHANGELOG.md', 'CONTRIBUTING.md', 'SECURITY.md', 'THREAT_MODEL.md', 'examples/README.md']
  const docs = [
    'adapters',
    'approvals',
    'architecture',
    'extending',
    'cli',
    'configuration',
    'evidence',
    'faq',
    'glossary',
    'ledger-format',
    'policy',
    'mcp',
    'performance',
    'quickstart',
    'scaling',
    'reliability',
    'threat-model',
  ]
  const packages = [
    'packages/core',
    'packages/adapters',
    'packages/crypto',
    'packages/ledger',
    'packages/mcp',
    'packages/policy',
    'packages/witness',
    'apps/cli',
  ]
  const wanted = [...names, ...docs.map((name) => `docs/${name}.md`), ...packages.map((name) => `${name}/README.md`)]
  expect(pages.map(({ path }) => path)).toEqual(expect.arrayContaining(wanted))
  expect(documents.flatMap(({ blocks }) => blocks).length).toBeGreaterThan(20)
})

describe('links and anchors', () => {
  it.each(pages)('$path', ({ path, links }) => {
    const broken = links.filter(({ target }) => !/^(?:https?:|mailto:)/.test(target) && !resolves(path, target))
    expect(broken).toEqual([])
  })

  function resolves(path: string, target: string): boolean {
    const [file = '', anchor] = target.split('#')
    const found = file === '' ? path : posix.join(posix.dirname(path), file)
    if (found.startsWith('..') || !existsSync(join(root, found))) return false
    if (anchor === undefined) return true
    return !statSync(join(root, found)).isDirectory() && pageAt(found).anchors.has(anchor)
  }
})

describe('blocks', () => {
  it.each(pages)('$path says how each of its blocks is treated', ({ blocks }) => {
    for (const { language, line, directive, text } of blocks) {
      expect(
        ['sh', 'ts', 'js', 'json', 'sql', 'text', 'yaml', 'python', 'mermaid'],
        `line ${line}: the language`,
      ).toContain(language)
      if (directive !== null) expect(directive).toMatch(/^(?:run|skip: .{10,}|exit [\d ]+|file [\w.-]+)$/)
      if (language === 'json') expect(() => JSON.parse(text), `line ${line}`).not.toThrow()
    }
  })

  it('in TypeScript compile, strictly, as modules of their own', () => {
    const sources = programsOf(pages.filter(({ path }) => !NEED_FRAMEWORKS.includes(path)))
    expect(sources.length).toBeGreaterThan(5)
    expect(typeErrors(root, reader.page('types'), sources)).toEqual([])
  })

  // The short form runs only the pages that a new reader uses first.
  const FIRST = ['README.md', 'docs/quickstart.md']
  const running = pages.filter(
    (page) =>
      !NEED_FRAMEWORKS.includes(page.path) &&
      (isLong || FIRST.includes(page.path)) &&
      (documents.includes(page) || page.blocks.some(({ directive }) => directive === 'run')),
  )
  it.concurrent.each(running)(
    'of $path run, and print what the page says',
    (page) => runPage(page, reader),
    // All pages run at the same time, possibly on a busy machine. Each block also has its own limit.
    180_000,
  )
})

describe.each([
  { table: 'threat matrix', page: 'docs/threat-model.md', header: ['threat', 'mechanism', 'tests'], least: 25 },
  { table: 'faults', page: 'docs/reliability.md', header: ['fault', 'what the caller gets'], least: 15 },
])('$table', ({ page, header, least }) => {
  const rows = tableRows(pageAt(page).text, ...header)

  it('is there', () => {
    expect(rows.length).toBeGreaterThan(least)
  })

  it.each(rows.map((cells) => [cells[0] ?? '', cells.at(-1) ?? '']))('%s', (_threat, tests) => {
    // `path/to/file.test.ts`: “name of the test” “another one”; `…`
    const references = tests.split(/; (?=`)/)
    for (const reference of references) {
      const [, path = '', names = ''] = /^`([^`]+)`: (.+)$/.exec(reference) ?? []
      expect(existsSync(join(root, path)), `${reference}: no such file`).toBe(true)
      const text = readFileSync(join(root, path), 'utf8')
      const titles = [...names.matchAll(/“([^”]+)”/g)].map(([, title = '']) => title)
      expect(titles.length, `${reference}: names no test`).toBeGreaterThan(0)
      for (const title of titles) expect(isTest(text, title), `${path} has no test “${title}”`).toBe(true)
    }
  })

  /** Returns whether a file has a test or group with this title: a call whose first argument is this string. */
  function isTest(text: string, title: string): boolean {
    const firstArguments = text.matchAll(/\(\s*(['"`])((?:\\.|(?!\1)[^\n])*)\1,/g)
    return [...firstArguments].some(([, , found = '']) => found.replace(/\\(.)/g, '$1') === title)
  }
})

describe('tables of codes', () => {
  const { text } = pageAt('docs/ledger-format.md')

  it('name every reason code', () => {
    expect(tableRows(text, 'reason code', 'effect').map(([code]) => codeIn(code))).toEqual([...REASON_CODES])
  })

  it('name every error of a policy file', () => {
    const policy = pageAt('docs/policy.md').text
    expect(tableRows(policy, 'policy file error').map(([code]) => codeIn(code))).toEqual([...POLICY_FILE_CODES])
  })

  it('name every finding', () => {
    const source = readFileSync(join(root, 'packages/ledger/src/entry/finding.ts'), 'utf8')
    const [, union = ''] = /type FindingCode =\n((?: {2}\| '\w+'\n)+)/.exec(source) ?? []
    const codes = [...union.matchAll(/'(\w+)'/g)].map(([, code = '']) => code)
    expect(tableRows(text, 'finding', 'meaning').map(([code]) => codeIn(code))).toEqual(codes)
  })

  it('name every finding about a receipt', () => {
    const source = readFileSync(join(root, 'packages/crypto/src/receipt/finding.ts'), 'utf8')
    const [, union = ''] = /type ReceiptFindingCode =\n((?: {2}\| '\w+'\n)+)/.exec(source) ?? []
    const codes = [...union.matchAll(/'(\w+)'/g)].map(([, code = '']) => code)
    expect(tableRows(text, 'receipt finding').map(([code]) => codeIn(code))).toEqual(codes)
  })

  it('name every kind of control entry, and every verdict', () => {
    const control = ['ledger/src/entry/control.ts', 'crypto/src/entry/stop.ts', 'crypto/src/entry/question.ts']
      .map((path) => readFileSync(join(root, 'packages', path), 'utf8'))
      .join('')
    const kinds = [...control.matchAll(/^ {2}readonly kind: '(\w+)'$/gm)].map(([, kind = '']) => kind)
    expect(tableRows(text, 'kind', 'content').map(([kind]) => codeIn(kind))).toEqual(kinds)
    const report = readFileSync(join(root, 'packages/ledger/src/verify/report.ts'), 'utf8')
    const [, union = ''] = /export type Verdict = (.*)$/m.exec(report) ?? []
    const verdicts = [...union.matchAll(/'(\w+)'/g)].map(([, verdict = '']) => verdict)
    expect(verdicts.length).toBe(6)
    expect(tableRows(text, 'verdict', 'meaning').map(([verdict]) => codeIn(verdict))).toEqual(verdicts)
  })

  it('name every member of a report', () => {
    const source = readFileSync(join(root, 'packages/ledger/src/verify/report.ts'), 'utf8')
    const [, body = ''] = /export interface Report \{\n([\s\S]*?)\n\}\n/.exec(source) ?? []
    const members = [...body.matchAll(/^ {2}readonly (\w+):/gm)].map(([, member = '']) => member)
    const documented = tableRows(text, 'member').flatMap(([cell = '']) =>
      [...cell.matchAll(/`(\w+)`/g)].map(([, name = '']) => name),
    )
    expect(documented.sort()).toEqual(members.sort())
  })
})

describe('glossary', () => {
  const rows = tableRows(pageAt('docs/glossary.md').text, 'term', 'definition')
  const terms = rows.map(([term = '']) => term)

  it('has at most forty terms, in alphabetical order, one sentence each', () => {
    expect(terms.length).toBeGreaterThan(20)
    expect(terms.length).toBeLessThanOrEqual(40)
    expect(terms).toEqual([...terms].sort((a, b) => a.toLowerCase().localeCompare(b.toLowerCase(), 'en')))
    for (const [, definition = ''] of rows) expect(definition).toMatch(/^[^.]+\.$/)
  })

  it.each(terms)('%s is used in another page', (term) => {
    const others = pages.filter(({ path }) => path !== 'docs/glossary.md')
    const words = (text: string) => text.toLowerCase().replace(/\s+/g, ' ')
    expect(others.some(({ text }) => words(text).includes(words(term)))).toBe(true)
  })
})

describe('configuration', () => {
  const { text } = pageAt('docs/configuration.md')
  const engine = new SudoEngine({ policy: new AllowAllPolicy(), agentId: 'bot', ledger: new MemoryLedger() })
  const wrong = { thereIsNoSuchOption: true } as never
  /** Returns the valid options, read from the error for an unknown option whose name resembles none of them. */
  const optionsOf = (use: () => unknown): string[] => {
    try {
      use()
    } catch (error) {
      return [...String(error).matchAll(/`(\w+)`/g)].map(([, name = '']) => name).slice(1)
    }
    throw new Error('the unknown option was accepted')
  }

  it.each([
    ['engine', '## Engine options', 'option', () => new SudoEngine(wrong)],
    ['call', '`engine.guard(fn', 'option', () => engine.guard(async function call() {}, wrong)],
    ['budget', '## Budgets', 'limit', () => new MemoryBudget(wrong)],
  ])('has every %s option', (_, start, header, use) => {
    const rows = tableRows(text.slice(text.indexOf(start)), header)
    const documented = rows.flatMap(([cell = '']) => [...cell.matchAll(/`(\w+)`/g)].map(([, name = '']) => name))
    expect(documented.sort()).toEqual(optionsOf(use).sort())
  })
})

describe('command line reference', () => {
  const { text } = pageAt('docs/cli.md')
  const sections = new Map(
    text
      .split(/^## /m)
      .slice(1)
      .map((section) => [codeIn(section.split('\n')[0]), section] as const),
  )
  const helps = new Map<string, Promise<string>>()
  /** Caches the help texts, because each text takes a separate process, and many tests need the same text. */
  const help = (...args: string[]): Promise<string> => {
    const bin = join(root, 'node_modules/sudoagent/bin/sudoagent.cjs')
    const run = async () => (await promisify(execFile)(process.execPath, [bin, ...args, '--help'])).stdout
    const known = helps.get(args.join(' ')) ?? run()
    helps.set(args.join(' '), known)
    return known
  }
  const optionsIn = (helpText: string, title: string): string[] => {
    const [, part = ''] = new RegExp(`^${title}:\\n((?: .*\\n)+)`, 'm').exec(helpText) ?? []
    return [...part.matchAll(/^ {2}((?:-\w, )?--\S+(?: <\S+>)?)(?: {2}|$)/gm)].map(([, option = '']) => option)
  }

  /**
   * Returns the subcommands of a command, in the order of the help text. A command that has subcommands is included if
   * it can also run without a subcommand.
   */
  const commandsBelow = async (...path: string[]): Promise<string[]> => {
    const text = await help(...path)
    const [, part = ''] = /^Commands:\n((?: .*\n)+)/m.exec(text) ?? []
    const names = [...part.matchAll(/^ {2}(\w+) /gm)].map(([, name = '']) => name).filter((name) => name !== 'help')
    const below = await Promise.all(names.map((name) => commandsBelow(...path, name)))
    const own = path.length > 0 && (names.length === 0 || /^Arguments:/m.test(text)) ? [path.join(' ')] : []
    return [...own, ...below.flat()]
  }
  const pathOf = (command: string): string[] => command.split(' ').slice(1)

  it('has every command, and its usage', async () => {
    const commands = await commandsBelow()
    const documented = [...sections.keys()].filter((name) => name.startsWith('sudoagent '))
    expect(documented).toEqual(commands.map((name) => `sudoagent ${name}`))
    for (const name of documented) {
      const [, usage = ''] = /^Usage: (.*)$/m.exec(await help(...pathOf(name))) ?? []
      expect(text.split('\n')).toContain(usage)
    }
  })

  it.each([...sections.keys()].filter((name) => name.startsWith('sudoagent ')))('%s has its options', async (name) => {
    const helpText = await help(...pathOf(name))
    const documented = tableRows(sections.get(name) ?? '', 'option').map(([option]) => codeIn(option))
    expect(documented).toEqual(optionsIn(helpText, 'Options').filter((option) => option !== '-h, --help'))
    // Both the page and the help must mark required options.
    const requiredHere = tableRows(sections.get(name) ?? '', 'option')
      .filter(([, says = '']) => /\bRequired\b(?! where)/.test(says))
      .map(([option]) => codeIn(option))
    const marked = [...helpText.matchAll(/^ {2}(--\S+(?: <\S+>)?) +required: /gm)].map(([, option]) => option)
    expect(requiredHere).toEqual(marked)
    const everywhere = tableRows(text, 'option').map(([option]) => codeIn(option))
    expect(everywhere).toEqual([...optionsIn(helpText, 'Global Options'), '-h, --help'])
  })
})
