// Checks the prose against the rules in `prose/rules.mjs`. `prose/allowed.json` contains the number of hits allowed in
// each file. The number can only fall: a file with fewer hits also fails, until `--update` lowers its number.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readArguments } from './arguments.mjs'
import { proseFiles, root } from './prose/files.mjs'
import { lintProse } from './prose/lint.mjs'

const ALLOWED = 'tools/prose/allowed.json'
const SHOWN_FILES_MAX = 5

const { update, list } = readArguments('node tools/check-prose.mjs [--list TEXT] [--update]', {
  list: { type: 'string' },
  update: { type: 'boolean', default: false },
})

const allowed = JSON.parse(readFileSync(join(root, ALLOWED), 'utf8'))
const hits = new Map()
for (const path of proseFiles()) {
  const found = await lintProse(path, readFileSync(join(root, path), 'utf8'))
  if (found.length > 0) hits.set(path, found)
}

if (list !== undefined) listHits()
else if (update) lower()
else check()

/** Prints every hit in files whose path contains the text, and the count of each rule. */
function listHits() {
  const counts = new Map()
  for (const [path, found] of hits) {
    if (!path.includes(list)) continue
    for (const { line, message } of found) {
      console.log(`${path}:${line}  ${message}`)
      const id = message.slice(0, message.indexOf(':'))
      counts.set(id, (counts.get(id) ?? 0) + 1)
    }
  }
  for (const [id, count] of [...counts].sort(([, a], [, b]) => b - a)) console.log(`${count}\t${id}`)
}

/** Writes the current counts. New files may have as many hits as other files lost, so that code can be moved. */
function lower() {
  const counts = Object.fromEntries([...hits].map(([path, { length }]) => [path, length]))
  const isNew = (path) => !Object.hasOwn(allowed, path)
  const refused = Object.keys(counts).filter((path) => !isNew(path) && counts[path] > allowed[path])
  if (total(counts) > total(allowed)) refused.push(...Object.keys(counts).filter(isNew))
  if (refused.length > 0) fail(refused)
  writeFileSync(join(root, ALLOWED), `${JSON.stringify(counts, null, 2)}\n`)
  console.log(`${total(counts)} hits in ${Object.keys(counts).length} files are allowed`)
}

function check() {
  const more = [...hits].filter(([path, found]) => found.length > (allowed[path] ?? 0)).map(([path]) => path)
  if (more.length > 0) fail(more)
  const fewer = Object.entries(allowed).filter(([path, count]) => (hits.get(path)?.length ?? 0) < count)
  if (fewer.length > 0) {
    for (const [path, count] of fewer) console.error(`${path}: ${hits.get(path)?.length ?? 0} hits, ${count} allowed`)
    console.error(`lower the numbers in ${ALLOWED}: pnpm check:prose --update`)
    process.exit(1)
  }
  console.log(`prose: ${total(allowed)} old hits in ${Object.keys(allowed).length} files, none new`)
}

function fail(paths) {
  for (const [index, path] of paths.entries()) {
    // If many files fail, the first few are enough to show the reason.
    if (index < SHOWN_FILES_MAX)
      for (const { line, message } of hits.get(path)) console.error(`${path}:${line}  ${message}`)
    console.error(`${path}: ${hits.get(path).length} hits, ${allowed[path] ?? 0} allowed`)
  }
  process.exit(1)
}

function total(counts) {
  return Object.values(counts).reduce((sum, count) => sum + count, 0)
}
