// Replays 1,164 tool calls that a real model made against an airline's booking system (τ-bench) into both stores,
// signed, then verifies the ledgers and finds every call again. Writes the ledgers to `test-output/replay/` for other
// verifiers.
import { randomUUID } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ApprovalDenied, MemoryBudget, SudoEngine } from '@sudoagent/core'
import { createSigner, generatePrivateKey, type PrivateKey } from '@sudoagent/crypto'
import { verifyReceipt } from '@sudoagent/crypto/receipt'
import {
  type Criteria,
  callStory,
  type LedgerReader,
  type LedgerWriter,
  makeReceipt,
  openLedgerReader,
  select,
  verify,
} from '@sudoagent/ledger'
import { JsonlLedger } from '@sudoagent/ledger/jsonl'
import { SqliteLedger } from '@sudoagent/ledger/sqlite'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { byTier, isLong, TIER } from '../../test/tier.js'
import { AirlinePolicy, DeskApprover, type RecordedCall } from '../src/airline.js'

const root = fileURLToPath(new URL('../..', import.meta.url))
const data = join(root, '../shared/data/tau-bench-airline-calls.jsonl')
const output = join(root, 'test-output/replay')
const BOOKINGS_MAX = 40
const slow = TIER === 'slow'
/** Some checks read the whole ledger for each call. Outside the slow tier, only one call in this number is checked. */
const ONE_IN = byTier({ short: 40, long: 8 })

if (!existsSync(data)) console.info('skipped: the recorded calls for the replay are missing')

/** Whether the policy requires approval for a call. */
const isAsked = ({ tool }: RecordedCall): boolean => /^(?:cancel|update)_/.test(tool)

/** Derives the expected result of each call from the recording, without the policy's code. */
function expectations(calls: readonly RecordedCall[]): string[] {
  let bookings = 0
  return calls.map((call) => {
    const { tool, arguments: input } = call
    if (/^(?:get|search|list)_|^(?:calculate|think|transfer_to_human_agents)$/.test(tool)) return 'ran'
    if (isAsked(call)) return input.cabin === 'business' ? 'APPROVAL_DENIED' : 'ran'
    if (tool === 'send_certificate') return Number(input.amount) > 100 ? 'POLICY_DENY_HIGH_RISK' : 'ran'
    bookings += 1
    return bookings > BOOKINGS_MAX ? 'BUDGET_EXCEEDED_TOOL_RATE' : 'ran'
  })
}

interface Replay {
  readonly endings: string[]
  readonly requestIds: string[]
  readonly ran: string[]
}

async function replay(calls: readonly RecordedCall[], ledger: LedgerWriter): Promise<Replay> {
  const requestIds: string[] = []
  const ran: string[] = []
  const engine = new SudoEngine({
    policy: new AirlinePolicy(),
    agentId: 'airline-agent',
    ledger,
    approver: new DeskApprover(),
    budget: new MemoryBudget({ windowMs: 86_400_000, perTool: { book_reservation: BOOKINGS_MAX } }),
    generateId: () => {
      const id = randomUUID()
      requestIds.push(id)
      return id
    },
  })
  const endings: string[] = []
  for (const { run, call_id, tool, arguments: input, result } of calls) {
    const guarded = engine.guard(
      async (_input: RecordedCall['arguments']) => {
        ran.push(tool)
        return result
      },
      { action: tool, metadata: { run, call_id } },
    )
    endings.push(
      await guarded(input).then(
        (answer) => {
          expect(answer).toBe(result)
          return 'ran'
        },
        (error: unknown) => {
          if (error instanceof ApprovalDenied) return error.code
          throw error
        },
      ),
    )
  }
  await ledger.close()
  return { endings, requestIds, ran }
}

describe.skipIf(!existsSync(data)).each(['sqlite', 'jsonl'] as const)('the replay into %s', (kind) => {
  const path = join(output, `ledger.${kind}`)
  let calls: RecordedCall[] = []
  let key: PrivateKey
  let result: Replay
  let reader: LedgerReader

  beforeAll(async () => {
    calls = readFileSync(data, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as RecordedCall)
    mkdirSync(output, { recursive: true })
    for (const suffix of ['', '-wal', '-shm', '.lock', '.head', '.tree']) rmSync(`${path}${suffix}`, { force: true })
    key = generatePrivateKey()
    writeFileSync(join(output, `${kind}-public-key.pem`), key.publicKey.pem)
    const signer = createSigner(key)
    result = await replay(
      calls,
      kind === 'sqlite' ? SqliteLedger.open(path, { signer }) : JsonlLedger.open(path, { signer }),
    )
    reader = await openLedgerReader(path)
  })

  afterAll(() => reader.close())

  it('every call ended as the rules say, and only what was allowed ran', () => {
    const expected = expectations(calls)
    expect(calls).toHaveLength(1164)
    expect(result.endings).toEqual(expected)
    expect(new Set(expected)).toEqual(
      new Set(['ran', 'APPROVAL_DENIED', 'POLICY_DENY_HIGH_RISK', 'BUDGET_EXCEEDED_TOOL_RATE']),
    )
    expect(result.ran).toEqual(calls.filter((_, index) => expected[index] === 'ran').map(({ tool }) => tool))
  })

  it('the ledger verifies under its key, and not under another', async () => {
    const ran = result.ran.length
    expect(await verify(reader, { publicKeys: [key.publicKey] })).toMatchObject({
      ok: true,
      verdict: 'signed',
      // Includes the genesis and the questions.
      entries: 1 + calls.filter(isAsked).length + 1164 + ran,
      decisions: 1164,
      outcomes: ran,
      open: 0,
      findings: [],
    })
    expect(await verify(reader, { publicKeys: [generatePrivateKey().publicKey] })).toMatchObject({
      ok: false,
      verdict: 'unverified',
    })
  })

  /** Request IDs of the matching entries. */
  async function found(criteria: Criteria): Promise<Set<string>> {
    const ids = new Set<string>()
    for await (const { entry } of select(reader, criteria)) ids.add(String(entry.request_id))
    return ids
  }

  /** Request IDs of the matching calls. */
  const made = (fits: (call: RecordedCall, index: number) => boolean): Set<string> =>
    new Set(result.requestIds.filter((_, index) => fits(calls[index] as RecordedCall, index)))

  it('a filter by action finds every call of a tool, and no other', async () => {
    const tools = new Set(calls.map(({ tool }) => tool))
    expect(tools.size).toBe(14)
    for (const tool of tools) {
      expect(await found({ action: tool, event: 'decision' })).toEqual(made((call) => call.tool === tool))
    }
  })

  it('a filter by effect, reason code and outcome finds what ended that way', async () => {
    for (const code of ['APPROVAL_DENIED', 'POLICY_DENY_HIGH_RISK', 'BUDGET_EXCEEDED_TOOL_RATE']) {
      expect(await found({ effect: 'deny', reasonCode: code })).toEqual(
        made((_, index) => result.endings[index] === code),
      )
    }
    expect(await found({ outcome: 'success' })).toEqual(made((_, index) => result.endings[index] === 'ran'))
  })

  it('a search for the id that the model gave a call finds it, and no other', async () => {
    const callIds = new Set(calls.map(({ call_id }) => call_id))
    expect(callIds.size).toBeGreaterThan(100)
    // Each search reads the whole ledger, so the other tiers take a sample.
    for (const callId of [...callIds].filter((_, n) => slow || n % ONE_IN === 0)) {
      expect(await found({ text: callId, event: 'decision' })).toEqual(made(({ call_id }) => call_id === callId))
    }
  })

  it('every call has a receipt, which stands without the ledger', async () => {
    // The genesis is entry 1.
    let position = 1
    const kinds = new Set<string>()
    for (const [index, requestId] of result.requestIds.entries()) {
      // A question precedes its decision.
      position += isAsked(calls[index] as RecordedCall) ? 2 : 1
      const ran = result.endings[index] === 'ran'
      // For each combination of tool and ending, the first call is always checked.
      const what = `${calls[index]?.tool} ${result.endings[index]}`
      // Every receipt reads the whole JSONL ledger.
      const isLooked = slow || (isLong && kind === 'sqlite') || index % ONE_IN === 0 || !kinds.has(what)
      kinds.add(what)
      if (!isLooked) {
        if (ran) position += 1
        continue
      }
      const receipt = await makeReceipt(reader, { requestId })
      expect([receipt.position, receipt.outcome]).toEqual([position, ran ? position + 1 : null])
      const report = verifyReceipt(receipt.text, { publicKeys: [key.publicKey] })
      expect(report).toMatchObject({ ok: true, verdict: 'signed', findings: [], position })
      expect(report.decision?.request_id).toBe(requestId)
      if (ran) position += 1
    }
  })

  it('a call tells its whole story, found by its id or by where it stands', async () => {
    const index = result.endings.indexOf('APPROVAL_DENIED')
    const story = await callStory(reader, { requestId: result.requestIds[index] ?? '' })
    expect(story.decision?.entry).toMatchObject({
      action: calls[index]?.tool,
      approval: { state: 'denied', approver_id: 'desk' },
    })
    expect(story.outcome).toBeUndefined()
    expect(await callStory(reader, { position: story.decision?.position ?? 0 })).toEqual(story)
  })
})
