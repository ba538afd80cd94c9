// Writes ledgers with questions, and compares what two implementations report of each: our verifier, and the given
// program. The program also checks `vectors/authority`.
//
//   node interop/check_questions.mjs [--ledgers N] [--seed N] PROGRAM ARGUMENT…
//   node interop/check_questions.mjs python3 interop/python/check_authority.py
//
// The steps of a ledger are random: questions, answers and other decisions, outcomes, stops, and waits. In one half of
// the ledgers, few of the entries break a rule, so that a run can continue from a state. In the other half, many do.
// One more ledger reaches the limit of open questions. The program is called with the folder of the vectors and the
// folder of these ledgers.
import { spawnSync } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { openLedgerReader } from '../packages/ledger/dist/index.js'
import { encodeState, parseState, verifyFrom } from '../packages/ledger/dist/state.js'
import { fullLines, randomLines } from './question-maker.mjs'

const root = join(import.meta.dirname, '..')
const folder = join(root, 'test-output/questions')
const { values: options, positionals } = parseArgs({
  options: { ledgers: { type: 'string', default: '200' }, seed: { type: 'string', default: '1' } },
  allowPositionals: true,
})
const [program, ...programArguments] = positionals

async function verified(path, state) {
  const reader = await openLedgerReader(path)
  try {
    const { report, state: after } = await verifyFrom(reader, state === null ? {} : { resume: parseState(state) })
    return { report: neutral(report), state: after === null ? null : encodeState(after) }
  } finally {
    await reader.close()
  }
}

/** A report without the wording of its findings. */
function neutral({ findings, ...report }) {
  const named = findings.map(({ code, position, request_id }) => {
    return { code, position, ...(request_id === undefined ? {} : { request_id }) }
  })
  return { ...report, findings: named }
}

/** Writes a ledger. @returns its row in the index, in the form of `vectors/authority/questions/index.json` */
async function write(name, lines, { isCut = true } = {}) {
  const path = join(folder, `${name}.jsonl`)
  const writeLines = (count, to = path) => {
    writeFileSync(
      to,
      lines
        .slice(0, count)
        .map((line) => `${line}\n`)
        .join(''),
    )
    return to
  }
  const { report } = await verified(writeLines(lines.length), null)
  const cuts = []
  for (let entries = 1; isCut && entries < lines.length; entries += 1) {
    const before = await verified(writeLines(entries, join(folder, 'part.jsonl')), null)
    const resumed = before.state === null ? null : (await verified(path, before.state)).report
    cuts.push({ entries, questions: before.report.questions, resumed })
  }
  return { file: `${name}.jsonl`, report, cuts }
}

if (program === undefined) throw new Error('usage: node interop/check_questions.mjs PROGRAM ARGUMENT…')
rmSync(folder, { recursive: true, force: true })
mkdirSync(folder, { recursive: true })
const index = []
for (let n = 0; n < Number(options.ledgers); n += 1)
  index.push(await write(`seed-${Number(options.seed) + n}`, randomLines(Number(options.seed) + n)))
index.push(await write('full', fullLines(), { isCut: false }))
writeFileSync(join(folder, 'index.json'), JSON.stringify(index))

const counts = new Map()
for (const { report } of index)
  for (const code of new Set(report.findings.map((finding) => finding.code)))
    counts.set(code, (counts.get(code) ?? 0) + 1)
const sound = index.filter(({ report }) => report.ok).length
const found = [...counts].map((one) => one.join(' ')).join(', ')
console.log(`${index.length} ledgers with questions, ${sound} without findings; ${found}`)
const { status, error } = spawnSync(program, [...programArguments, join(root, 'vectors/authority'), folder], {
  stdio: 'inherit',
})
if (error !== undefined) throw error
process.exitCode = status ?? 1
