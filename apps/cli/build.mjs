// Bundles the command line into dist: most of a short command was Node looking for files, reading and compiling them. `verify` of a small ledger
// read 176 of them, and reads 51 now, of which 16 are better-sqlite3; what it takes above `node -e 0` is less than half (docs/performance.md).
//
// CommonJS, since it is loaded synchronously, in five sixths of the time of the same chunks as ES modules. What the workspace's packages need of
// others stays outside and is installed, save for what is bundled by name below.
import { copyFileSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'rolldown'

// Noble is ES modules only, and `require` of those warns in some versions of Node that we support. Commander is read by every command.
const BUNDLED = ['@noble/ed25519', '@noble/hashes', 'commander']

// The rest says nothing to whoever runs it, and is scanned each time.
const COMMENTS = { legal: true, annotation: false, jsdoc: false }

const at = (path) => fileURLToPath(new URL(path, import.meta.url))
const { dependencies } = JSON.parse(readFileSync(at('package.json'), 'utf8'))

/** `@scope/name/sub/path` → `@scope/name` */
const packageOf = (specifier) =>
  specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')

const isOutside = (specifier) => {
  if (/^(?:[./]|[A-Za-z]:)/.test(specifier)) return false
  const name = packageOf(specifier)
  return !name.startsWith('@sudoagent/') && !BUNDLED.includes(name)
}

const common = {
  platform: 'node',
  logLevel: 'warn',
  external: isOutside,
  // Some parts are loaded late by one command and early by another.
  checks: { ineffectiveDynamicImport: false },
}

rmSync(at('dist'), { recursive: true, force: true })
const program = await build({
  ...common,
  input: { bin: at('src/bin.ts') },
  output: {
    dir: at('dist'),
    format: 'cjs',
    // As all of it is written: modules are strict, and a write to something frozen must throw.
    strict: true,
    entryFileNames: '[name].cjs',
    chunkFileNames: '[name]-[hash].cjs',
    comments: COMMENTS,
  },
})
// Threads are started from files that must lie where `new URL('./…', import.meta.url)` of the packages looks for them.
const threads = await build({
  ...common,
  input: {
    worker: at('../../packages/ledger/dist/range/worker.js'),
    'page-walker': at('../../packages/ledger/dist/sqlite-file/page-walker.js'),
  },
  output: { dir: at('dist'), format: 'es', chunkFileNames: 'thread/[name]-[hash].js', comments: COMMENTS },
})

const chunks = [...program.output, ...threads.output]
const ours = new Set(chunks.map(({ fileName }) => fileName))
const imports = chunks.flatMap((chunk) => [...chunk.imports, ...chunk.dynamicImports])
requireDeclared(imports.filter((name) => !ours.has(name) && !name.startsWith('node:')))
// What `sudoagent receipt page` hands out; turbo builds it first.
copyFileSync(at('../receipt-page/dist/receipt.html'), at('dist/receipt.html'))
writeFileSync(at('dist/THIRD-PARTY-LICENSES.txt'), licencesOf(chunks.flatMap(({ moduleIds }) => moduleIds)))

/** What is installed is what is needed: a package that a bundle asks for and nobody declares would be missing at the user's alone. */
function requireDeclared(imports) {
  const used = [...new Set(imports.map(packageOf))].sort().join(', ')
  const declared = Object.keys(dependencies).sort().join(', ')
  if (used !== declared) throw new Error(`the bundle needs ${used}; package.json declares ${declared}`)
}

/** The licences of packages of others that are inside the bundle: their terms ask that they go with it. */
function licencesOf(moduleIds) {
  const folders = moduleIds.flatMap((id) => /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(id)?.[0] ?? [])
  const texts = [...new Set(folders)].map((folder) => {
    const { name, version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
    const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry))
    if (file === undefined) throw new Error(`${name} ${version} is bundled and has no licence file`)
    return `${name} ${version}\n\n${readFileSync(join(folder, file), 'utf8').trim()}\n`
  })
  return ['Packages of others that are part of this one, and their licences.\n', ...texts.sort()].join(
    `\n${'-'.repeat(80)}\n\n`,
  )
}
