// Tests that a check of a whole chunk gives the same facts as a check of each line. Most changed lines are sealed
// again, as an attacker would do.
import fc from 'fast-check'
import { beforeAll, expect, it } from 'vitest'
import { parseLine } from '../../src/entry/line.js'
import { ChunkChecker } from '../../src/plain/chunk-checker.js'
import { doerOf, type PieceWork } from '../../src/range/task.js'
import { checkLine } from '../../src/rules/check-line.js'
import type { LineFacts } from '../../src/rules/line-facts.js'
import { decisionDraft, outcomeDraft, testSigner } from '../fixtures/draft.js'
import { sealTexts, writtenLines } from '../fixtures/seal.js'

const budget = { action: 'x', agent_id: 'y', budget_key: null, checked: true, cost: 1, window_seconds: 60 }
let ledgers: { readonly signer: ReturnType<typeof testSigner> | null; readonly lines: readonly string[] }[] = []
beforeAll(async () => {
  const [first, second, last] = [decisionDraft(1), { ...decisionDraft(2), budget }, decisionDraft(4)]
  const calls = [first, outcomeDraft(first), second, outcomeDraft(second), decisionDraft(3, { effect: 'deny' })]
  const drafts = [...calls, last, outcomeDraft(last)]
  ledgers = await Promise.all(
    [null, testSigner(1)].map(async (signer) => ({ signer, lines: await writtenLines(drafts, signer) })),
  )
})

const PUTS = ['\n', '"', '\\', ',', ':', '{', '}', '[', ']', '0', '-', 'a', ' ', '', '\\n', '"\n"', ',"a":1', '\u007f']
const change = fc.record({ line: fc.nat(6), at: fc.nat(), cut: fc.nat(2), put: fc.constantFrom(...PUTS) })

interface Changes {
  readonly isSigned: boolean
  readonly isSealed: boolean
  readonly made: readonly { readonly line: number; readonly at: number; readonly cut: number; readonly put: string }[]
}

const changes: fc.Arbitrary<Changes> = fc.record({
  isSigned: fc.boolean(),
  isSealed: fc.oneof(fc.constant(true), fc.boolean()),
  made: fc.array(change, { minLength: 1, maxLength: 2 }),
})

/** Returns the changed lines twice: as one chunk, and as the single lines that a reader returns. */
function changed({ isSigned, isSealed, made }: Changes): { readonly bytes: Buffer; readonly lines: readonly Buffer[] } {
  const { signer, lines } = ledgers[isSigned ? 1 : 0] ?? { signer: null, lines: [] }
  const texts = [...lines]
  for (const { line, at, cut, put } of made) {
    const text = texts[line] ?? ''
    const from = at % text.length
    texts[line] = text.slice(0, from) + put + text.slice(from + cut)
  }
  const text = (isSealed ? sealTexts(texts, signer) : texts).map((line) => `${line}\n`).join('')
  return {
    bytes: Buffer.from(text),
    lines: text
      .split('\n')
      .slice(0, -1)
      .map((line) => Buffer.from(line)),
  }
}

const isSound = (facts: LineFacts): boolean =>
  facts.kind === 'call' && facts.hashProblems.length === 0 && facts.approvalProblems.length === 0

it('what is checked as a whole has as many lines, and each of them holds', () => {
  let judged = 0
  fc.assert(
    fc.property(changes, (what) => {
      const { bytes, lines } = changed(what)
      const facts = new ChunkChecker(null).check(bytes)
      if (facts === null) return
      judged += 1
      expect(facts.lines).toBe(lines.length)
      expect(lines.filter((line) => !isSound(checkLine(line)))).toEqual([])
    }),
    { numRuns: 4_000 },
  )
  expect(judged).toBeGreaterThan(0)
})

it.each(['csv', 'json', 'ndjson'] as const)('what is handed out as a whole is what each line gives: %s', (format) => {
  const work: PieceWork = { kind: 'export', format }
  let handedOut = 0
  fc.assert(
    fc.property(changes, (what) => {
      const { bytes, lines } = changed(what)
      const whole = doerOf(work)(bytes, 5)
      if (whole === null) return
      handedOut += 1
      expect(lines.every((line) => parseLine(line).ok)).toBe(true)
      const rows = lines.map((line, n) => doerOf(work)(Buffer.concat([line, Buffer.from('\n')]), 5 + n))
      expect(whole).toBe(rows.join(''))
    }),
    { numRuns: 1_500 },
  )
  expect(handedOut).toBeGreaterThan(0)
})
