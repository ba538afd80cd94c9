// Prints random sentences from the documentation, the messages and the comments for review. The same seed prints the
// same sentences.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { endWithUsage, readArguments } from './arguments.mjs'
import { fileSentences, KINDS } from './prose/extract.mjs'
import { proseFiles, root } from './prose/files.mjs'

const PER_KIND = 20

const usage = 'node tools/sample-prose.mjs --seed N   (N: a whole number, default: 1)'
const { seed } = readArguments(usage, { seed: { type: 'string', default: '1' } })
if (!/^\d{1,9}$/.test(seed)) endWithUsage(usage, `--seed is not a whole number: ${seed}`)

const sentences = proseFiles().flatMap((path) =>
  fileSentences(path, readFileSync(join(root, path), 'utf8')).map((sentence) => ({ path, ...sentence })),
)
const random = mulberry32(Number(seed))
for (const kind of KINDS) {
  const candidates = sentences.filter((sentence) => sentence.kind === kind && /(?:\S+\s+){2}\S/.test(sentence.text))
  const sample = []
  while (sample.length < PER_KIND && candidates.length > 0) {
    sample.push(...candidates.splice(Math.floor(random() * candidates.length), 1))
  }
  console.log(`${kind}: ${sample.length} of ${candidates.length + sample.length} sentences`)
  for (const { path, line, text } of sample) console.log(`${path}:${line}  ${text}`)
  console.log()
}

/** A small seeded generator of numbers in [0, 1) (Tommy Ettinger's mulberry32). */
function mulberry32(state) {
  let a = state
  return () => {
    a = (a + 0x6d2b79f5) | 0
    let t = Math.imul(a ^ (a >>> 15), 1 | a)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}
