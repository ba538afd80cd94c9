// Verifies the files in `vectors/authority`, which every implementation of the format can use.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { authorityMisfit, hashAuthority, hashRequirement, requirementMisfit } from '@sudoagent/crypto/entry'
import { describe, expect, it } from 'vitest'
import { checkLine } from '../../src/rules/check-line.js'
import { answerProblem, openQuestion } from '../../src/standing/questions.js'
import { verify } from '../../src/verify/verify.js'
import { codesOf, sqliteOf, verifyFile } from '../fixtures/ledger-file.js'
import { linesReader, rangedReader } from '../fixtures/lines-reader.js'
import { OWN_THREAD } from '../fixtures/ranges.js'
import { sealAll } from '../fixtures/seal.js'
import {
  type LedgerVector,
  makeAuthorityVectors,
  neutral,
  type PairVector,
  reportsOf,
} from '../fixtures/vectors/authority-vectors.js'
import { expectKept } from '../fixtures/vectors/kept-files.js'
import { QUESTION_CASES } from '../fixtures/vectors/question-cases.js'

const FOLDER = join(import.meta.dirname, '../../../../vectors/authority')
const README = 'README.md'

it('vectors/authority is what its maker makes', async () => {
  const made = await makeAuthorityVectors()
  expectKept(FOLDER, made, [README])
})

// If the files do not exist yet, there is nothing to verify, and the test of their content fails.
const read = <T>(name: string): readonly T[] =>
  existsSync(join(FOLDER, name)) ? (JSON.parse(readFileSync(join(FOLDER, name), 'utf8')) as T[]) : []

describe('vectors/authority/authority-*.json', () => {
  it.each(read<{ why: string; authority: never; authority_hash: string }>('authority-accept.json'))(
    'accepts $why',
    ({ authority, authority_hash }) => {
      expect([authorityMisfit(authority), hashAuthority(authority)]).toEqual([null, authority_hash])
    },
  )
  it.each(read<{ why: string; authority: unknown; at: string }>('authority-reject.json'))(
    'rejects $why, at $at',
    ({ authority, at }) => {
      expect(authorityMisfit(authority)).toBe(at)
      expect(at).toMatch(/^authority/)
    },
  )
})

describe('vectors/authority/requirement-*.json', () => {
  it.each(read<{ why: string; requirement: never; requirement_hash: string }>('requirement-accept.json'))(
    'accepts $why',
    ({ requirement, requirement_hash }) => {
      expect([requirementMisfit(requirement), hashRequirement(requirement)]).toEqual([null, requirement_hash])
    },
  )
  it.each(read<{ why: string; requirement: unknown; at: string }>('requirement-reject.json'))(
    'rejects $why, at $at',
    ({ requirement, at }) => {
      expect(requirementMisfit(requirement)).toBe(at)
      expect(at).toMatch(/^requirement/)
    },
  )
})

describe('vectors/authority/questions/pairs.json', () => {
  it.each(read<PairVector>('questions/pairs.json'))('$name: $why', ({ asked, decision, differs }) => {
    const [line = ''] = sealAll([{ ...decision, schema_version: '2.0', ledger_version: '2.0' }])
    const facts = checkLine(Buffer.from(line))
    if (facts.kind !== 'call') throw new Error('the line is not a decision')
    const problem = answerProblem(facts, openQuestion(asked as never, 2))
    if (differs === null) expect(problem).toBeNull()
    else expect(problem).toMatchObject({ code: 'ASKED_MISMATCH', message: expect.stringContaining(`\`${differs}\``) })
  })
})

describe('vectors/authority/questions', () => {
  const ledgers = read<LedgerVector>('questions/index.json')
  const linesOf = (file: string): string[] =>
    readFileSync(join(FOLDER, 'questions', file), 'utf8')
      .split('\n')
      .slice(0, -1)

  it.each(QUESTION_CASES)('$name has the findings that it is about: $why', ({ name, findings }) => {
    const found = ledgers.find(({ file }) => file === `${name}.jsonl`)?.report.findings
    expect(found?.map(({ code, position }) => `${code}@${position}`)).toEqual(findings)
  })

  it.each(ledgers)('$file: $why', async ({ file, report, cuts }) => {
    const lines = linesOf(file)
    expect(await reportsOf(lines)).toEqual({ report, cuts })
    for (const range of [1, 2, 100])
      expect(neutral(await verify(rangedReader(lines, range), OWN_THREAD))).toEqual(report)
    const stored = neutral(await verifyFile(join(FOLDER, 'questions', file)))
    expect(stored).toEqual(report)
    expect(codesOf(await verifyFile(sqliteOf(lines)))).toEqual(codesOf(await verify(linesReader(lines), OWN_THREAD)))
  })

  it('a run from a state finds what a whole run finds, but for requests that are closed and approvals that are used', () => {
    const ofClosed = ['ASKED_DUPLICATE', 'DECISION_DUPLICATE', 'APPROVAL_REUSED']
    for (const { file, report, cuts } of ledgers) {
      const found = report.findings.filter(({ code }) => !ofClosed.includes(code))
      for (const { entries, resumed } of cuts) {
        if (resumed === null) continue
        const { findings = report.findings, questions = report.questions, approvals = report.approvals } = resumed
        expect(findings, `${file}, cut at ${entries}`).toEqual(expect.arrayContaining(found))
        expect([questions, approvals], `${file}, cut at ${entries}`).toEqual([report.questions, report.approvals])
      }
    }
  })
})
