// Checks the project rules that a machine can check (docs/architecture.md).
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { describe, expect, it } from 'vitest'

const root = fileURLToPath(new URL('..', import.meta.url))
const LINES_MAX = 300
/** Maximum number of files in one folder. */
const FILES_MAX = 20

function filesBelow(folder: string, suffix: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((name) => name.endsWith(suffix) && !name.includes('node_modules') && !name.includes('/dist/'))
}

const packages = [
  'packages/crypto',
  'packages/ledger',
  'packages/witness',
  'packages/core',
  'packages/adapters',
  'packages/policy',
  'packages/mcp',
  'packages/postgres',
  'apps/cli',
]
const sources = packages.flatMap((name) => filesBelow(`${name}/src`, '.ts'))
const tests = [...packages, 'examples', 'compat'].flatMap((name) => filesBelow(`${name}/test`, '.ts'))
const read = (name: string): string => readFileSync(join(root, name), 'utf8')
interface Manifest {
  readonly dependencies: Readonly<Record<string, string>>
  readonly devDependencies?: Readonly<Record<string, string>>
  readonly peerDependencies?: Readonly<Record<string, string>>
  readonly repository?: { readonly type: string; readonly url: string; readonly directory: string }
  readonly homepage?: string
  readonly keywords?: readonly string[]
}
const manifestOf = (home: string): Manifest => JSON.parse(read(`${home}/package.json`)) as Manifest

/**
 * Returns the modules that a file imports at run time, statically or with `import()`. The text no longer contains
 * types.
 */
function importsOf(text: string): string[] {
  const { statements } = ts.createSourceFile('x.ts', text, ts.ScriptTarget.Latest)
  const atTop = statements.flatMap((statement) => {
    const typeOnly = ts.isImportDeclaration(statement)
      ? statement.importClause?.isTypeOnly
      : ts.isExportDeclaration(statement) && statement.isTypeOnly
    if (typeOnly || !(ts.isImportDeclaration(statement) || ts.isExportDeclaration(statement))) return []
    return statement.moduleSpecifier !== undefined && ts.isStringLiteral(statement.moduleSpecifier)
      ? [statement.moduleSpecifier.text]
      : []
  })
  return [...atTop, ...[...text.matchAll(/\bimport\('([^'\n]+)'\)/g)].map(([, name]) => name ?? '')]
}

it('looks at something', () => {
  expect(sources.length).toBeGreaterThan(50)
  expect(tests.length).toBeGreaterThan(20)
})

describe('the stairs: imports only go down', () => {
  const below: Record<string, readonly string[]> = {
    'packages/crypto': [],
    'packages/ledger': ['@sudoagent/crypto'],
    'packages/witness': ['@sudoagent/crypto', '@sudoagent/ledger'],
    'packages/core': ['@sudoagent/crypto', '@sudoagent/ledger'],
    'packages/adapters': ['@sudoagent/core'],
    'packages/policy': ['@sudoagent/crypto', '@sudoagent/core'],
    'packages/mcp': ['@sudoagent/crypto', '@sudoagent/ledger', '@sudoagent/core'],
    'packages/postgres': ['@sudoagent/crypto', '@sudoagent/ledger', '@sudoagent/core'],
    'apps/cli': [
      '@sudoagent/crypto',
      '@sudoagent/ledger',
      '@sudoagent/witness',
      '@sudoagent/core',
      '@sudoagent/policy',
      '@sudoagent/mcp',
      '@sudoagent/postgres',
    ],
  }

  it.each(sources)('%s', (name) => {
    const home = packages.find((candidate) => name.startsWith(candidate)) ?? ''
    for (const specifier of importsOf(read(name))) {
      if (specifier.startsWith('.')) {
        expect(
          relative(join(root, home, 'src'), resolve(root, dirname(name), specifier)),
          `${specifier} leaves its package`,
        ).not.toMatch(/^\.\./)
      } else if (specifier.startsWith('@sudoagent/') || specifier === 'sudoagent') {
        expect(below[home]).toContain(specifier.split('/').slice(0, 2).join('/'))
      } else if (home === 'packages/crypto') {
        expect(specifier, 'crypto runs in browsers').not.toMatch(/^node:/)
      }
    }
  })

  it('only the named rooms touch SQLite, files and the network', () => {
    const rooms =
      /^packages\/(?:ledger\/src\/(?:store\/|range\/|sqlite-file\/|(?:private-)?file\.ts)|witness\/src\/(?:sqlite-store|server)\.ts|core\/src\/(?:sqlite|approval\/|budget\/|audit-log|open-ledger|signing-key|commitment\/key-file)|postgres\/src\/(?:session\/(?:session|target)|ledger\/range-copy)\.ts|policy\/src\/(?:load|real-path)\.ts|mcp\/src\/(?:tool\/sqlite-tool-pins|upstream\/child|downstream\/http-server)\.ts)|^apps\/cli\//
    for (const name of sources) {
      const outside = importsOf(read(name)).filter((specifier) =>
        /^(?:node:fs|better-sqlite3|node:child_process|node:net$|node:tls|node:http|pg$)/.test(specifier),
      )
      if (outside.length > 0) expect(name).toMatch(rooms)
    }
  })

  it('what a package imports is what it declares', () => {
    for (const home of packages) {
      const { dependencies, devDependencies = {}, peerDependencies = {} } = manifestOf(home)
      const used = new Set(
        sources
          .filter((name) => name.startsWith(home))
          .flatMap((name) => importsOf(read(name)))
          .filter((specifier) => !specifier.startsWith('.') && !specifier.startsWith('node:'))
          .map((specifier) =>
            specifier
              .split('/')
              .slice(0, specifier.startsWith('@') ? 2 : 1)
              .join('/'),
          ),
      )
      // A package may use a peer dependency only for its types.
      const own = [...used].filter((name) => !Object.hasOwn(peerDependencies, name))
      if (home !== 'apps/cli') expect(own.sort(), home).toEqual(Object.keys(dependencies).sort())
      // The CLI's bundle contains some packages and needs their dependencies. `apps/cli/build.mjs` compares these
      // dependencies with package.json.
      else expect(own.filter((name) => !Object.hasOwn({ ...dependencies, ...devDependencies }, name))).toEqual([])
    }
  })

  it('what the command line installs is what the packages inside its bundle were tested with', () => {
    const { dependencies } = manifestOf('apps/cli')
    const inside = packages.filter((home) => below['apps/cli']?.includes(home.replace('packages', '@sudoagent')))
    expect(inside.length).toBeGreaterThan(5)
    for (const home of inside) {
      for (const [name, version] of Object.entries(manifestOf(home).dependencies)) {
        if (Object.hasOwn(dependencies, name)) expect(dependencies[name], `${name} of ${home}`).toBe(version)
      }
    }
  })
})

describe('files', () => {
  it.each([...sources, ...tests])('%s', (name) => {
    const text = read(name)
    const lines = text.split('\n').length
    if (lines > LINES_MAX)
      expect(text.slice(0, 600), `${lines} lines, and no reason for it`).toMatch(/Over 300 lines because/)
    expect(name).not.toMatch(/(?:^|\/)(?:utils?|types|helpers?|misc|common)\.ts$/)
    expect(text).not.toMatch(/^export \* |^export default /m)
    expect(text, 'a thing that is not done').not.toMatch(/\b(?:TODO|FIXME|XXX)\b/)
    expect(text, 'tests that do not run').not.toMatch(/\b(?:it|test|describe)\.(?:only|todo|skip)\(/)
  })

  it('every package carries the licence', () => {
    for (const home of packages) expect(read(`${home}/LICENSE`)).toBe(read('LICENSE'))
  })

  it.each(packages)('%s says where it comes from, and what it is about', (home) => {
    const { repository, homepage, keywords = [] } = manifestOf(home)
    expect(repository).toMatchObject({ type: 'git', directory: home })
    expect(repository?.url).toMatch(/^git\+https:\/\/.+\.git$/)
    const web = repository?.url.replace(/^git\+|\.git$/g, '')
    expect(homepage).toBe(`${web}/tree/main/${home}#readme`)
    expect(keywords.length).toBeGreaterThanOrEqual(5)
  })
})

describe('folders', () => {
  // Type imports count too: if types form a cycle, a reader of one file must also read the others.
  const importedBy = (name: string): string[] =>
    [...read(name).matchAll(/(?:\bfrom|\bimport\()\s*'(\.[^'\n]+)'/g)].map(([, specifier = '']) =>
      relative(root, resolve(root, dirname(name), specifier.replace(/\.js$/, '.ts'))),
    )

  /** Returns the imports between the files and subfolders of each folder. */
  function siblings(): Map<string, Map<string, Set<string>>> {
    const folders = new Map<string, Map<string, Set<string>>>()
    for (const name of sources) {
      for (const target of importedBy(name)) {
        const [from, to] = [name.split('/'), target.split('/')]
        const depth = from.findIndex((part, at) => part !== to[at])
        const folder = from.slice(0, depth).join('/')
        const imports = folders.get(folder) ?? new Map<string, Set<string>>()
        folders.set(folder, imports)
        const [importer = '', imported = ''] = [from[depth], to[depth]]
        imports.set(importer, (imports.get(importer) ?? new Set()).add(imported))
      }
    }
    return folders
  }

  /**
   * Removes entries that import nothing until no such entry is left. Each remaining entry is part of a cycle, or
   * imports an entry that leads to a cycle.
   */
  function leftOver(imports: Map<string, Set<string>>): string[] {
    const left = new Set(imports.keys())
    for (let before = -1; before !== left.size; ) {
      before = left.size
      for (const name of left) if (![...(imports.get(name) ?? [])].some((other) => left.has(other))) left.delete(name)
    }
    return [...left].sort()
  }

  it('have no circles, at any depth', () => {
    const folders = siblings()
    expect(folders.size).toBeGreaterThan(20)
    const circles = [...folders].map(([folder, imports]) => [folder, leftOver(imports)] as const)
    expect(circles.filter(([, left]) => left.length > 0)).toEqual([])
  })

  it(`have at most ${FILES_MAX} files`, () => {
    const counts = new Map<string, number>()
    for (const name of [...sources, ...tests]) counts.set(dirname(name), (counts.get(dirname(name)) ?? 0) + 1)
    expect([...counts].filter(([, count]) => count > FILES_MAX)).toEqual([])
  })
})
