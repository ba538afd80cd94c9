// Bundles the command line into dist: a short command spent most of its time finding, reading and compiling files.
// `verify` of a small ledger read 176 files without the bundle and reads 51 with it, 16 of them better-sqlite3; its
// time above `node -e 0` is less than half (docs/performance.md).
//
// CommonJS, because it is loaded synchronously, in five sixths of the time of ES modules. The dependencies of the
// workspace packages stay external and are installed, except those bundled by name below.
import { copyFileSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'rolldown'

// Noble has only ES modules, and `require` of those warns in some supported versions of Node. Every command loads
// Commander.
const BUNDLED = ['@noble/ed25519', '@noble/hashes', 'commander']

// Other comments are of no use at runtime, and are scanned each time.
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
  // Some modules are loaded lazily by one command and eagerly by another.
  checks: { ineffectiveDynamicImport: false },
}

rmSync(at('dist'), { recursive: true, force: true })
const program = await build({
  ...common,
  input: { bin: at('src/bin.ts') },
  output: {
    dir: at('dist'),
    format: 'cjs',
    // As in the sources: modules are strict, and a write to a frozen object must throw.
    strict: true,
    entryFileNames: '[name].cjs',
    chunkFileNames: '[name]-[hash].cjs',
    comments: COMMENTS,
  },
})
// Worker threads are started from files at the relative URLs (`new URL('./…', import.meta.url)`) of the packages.
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
// The file of `sudoagent receipt page`; turbo builds it first.
copyFileSync(at('../receipt-page/dist/receipt.html'), at('dist/receipt.html'))
writeFileSync(at('dist/THIRD-PARTY-LICENSES.txt'), licencesOf(chunks.flatMap(({ moduleIds }) => moduleIds)))

/** Checks that every external package is a declared dependency: a missing one would fail only at the user's. */
function requireDeclared(imports) {
  const used = [...new Set(imports.map(packageOf))].sort().join(', ')
  const declared = Object.keys(dependencies).sort().join(', ')
  if (used !== declared) throw new Error(`the bundle needs ${used}; package.json declares ${declared}`)
}

/** The licences of the third-party packages in the bundle, which must be distributed with it. */
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
