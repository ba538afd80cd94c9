// Tests the entries that guarded calls record. Every test of a refusal also checks that the function did not run.
import { LedgerError } from '@sudoagent/ledger'
import { MemoryLedger } from '@sudoagent/ledger/memory'
import { describe, expect, it, vi } from 'vitest'
import { testSigner } from '../../../ledger/test/fixtures/draft.js'
import { SudoEngine } from '../../src/engine.js'
import { AuditLogError, type CallDenied } from '../../src/error.js'
import type { EngineFault } from '../../src/options.js'
import { ALLOW, boundary, DENY, policyOf, rejection } from '../fixtures/boundary.js'

describe('the decision cannot be written', () => {
  it.each([
    ['allow', 'before', ALLOW],
    ['allow', 'after', ALLOW],
    ['deny', 'before', DENY],
    ['deny', 'after', DENY],
  ] as const)('%s, the ledger fails %s the bytes were stored', async (_, when, result) => {
    const b = boundary(result)
    b.ledger.fault = () => when
    const error = await rejection(b.tool())
    expect(error).toBeInstanceOf(AuditLogError)
    expect(error).toMatchObject({ code: 'LEDGER_WRITE_FAILED_DECISION' })
    expect((error as Error).cause).toBeInstanceOf(Error)
    expect(b.tool.runs()).toBe(0)
    expect(await b.entries()).toHaveLength(when === 'before' ? 0 : 1)
    expect(b.audit.records.at(-1)).toMatchObject({ event: 'error', reason_code: 'LEDGER_WRITE_FAILED_DECISION' })
    expect(JSON.stringify(b.audit.records)).not.toContain('/var/lib')
  })

  it('the ledger never answers', async () => {
    const b = boundary(ALLOW, { timeoutMs: 30 })
    b.ledger.fault = () => 'hang'
    expect(await rejection(b.tool())).toBeInstanceOf(AuditLogError)
    expect(b.tool.runs()).toBe(0)
  })

  it.each(['KEY_REFUSED', 'LEDGER_FINISHED', 'ORIGIN_REFUSED', 'LEDGER_DAMAGED', 'LEDGER_CLOSED'] as const)(
    'the ledger takes nothing more from this writer (%s): not retryable, and `onError` is told',
    async (code) => {
      const b = boundary(ALLOW)
      const cause = new LedgerError(code, 'no')
      vi.spyOn(b.ledger, 'append').mockRejectedValue(cause)
      const error = await rejection(b.tool())
      expect(error).toBeInstanceOf(AuditLogError)
      expect(error).toMatchObject({ denial: { code: 'LEDGER_WRITE_FAILED_DECISION', retryable: false } })
      expect(b.faults).toMatchObject([{ stage: 'decision', error: cause }])
      expect(b.tool.runs()).toBe(0)
    },
  )

  it.each(['LEDGER_BUSY', 'LEDGER_WRITE_FAILED', 'ENTRY_REFUSED'] as const)(
    'the ledger failed this once (%s): retryable, as it was',
    async (code) => {
      const b = boundary(ALLOW)
      vi.spyOn(b.ledger, 'append').mockRejectedValue(new LedgerError(code, 'no'))
      expect(await rejection(b.tool())).toMatchObject({ denial: { retryable: true } })
      expect(b.faults).toEqual([])
    },
  )

  it('after `key retire` a writer with the old key fails for good', async () => {
    const signer = testSigner(1)
    const ledger = new MemoryLedger({ signer })
    const faults: EngineFault[] = []
    const options = {
      policy: policyOf(() => ALLOW),
      agentId: 'a',
      ledger,
      onError: (fault: EngineFault) => faults.push(fault),
    }
    const engine = new SudoEngine(options)
    await engine.execute(async () => 1, [], { action: 'tool' })
    await ledger.addKey(testSigner(2))
    await ledger.retireKey(signer.keyId)
    const error = await rejection(engine.execute(async () => 1, [], { action: 'tool' }))
    expect(error).toMatchObject({ denial: { retryable: false } })
    expect(faults).toMatchObject([{ stage: 'decision', error: { code: 'KEY_REFUSED' } }])
  })

  it('the ledger does not say where the entry stands', async () => {
    const b = boundary(ALLOW)
    vi.spyOn(b.ledger, 'append').mockResolvedValue(undefined as never)
    expect(await rejection(b.tool())).toBeInstanceOf(AuditLogError)
    expect(b.tool.runs()).toBe(0)
  })

  it.each([
    [
      'throws',
      () => {
        throw new Error('full')
      },
    ],
    ['rejects', () => Promise.reject(new Error('full'))],
  ])('the audit log %s: nothing is in the ledger', async (_, write) => {
    const b = boundary(ALLOW, { auditLog: { write } })
    const error = await rejection(b.tool())
    expect(error).toBeInstanceOf(AuditLogError)
    expect(b.tool.runs()).toBe(0)
    expect(await b.entries()).toEqual([])
  })
})

describe('the outcome cannot be written', () => {
  it.each(['before', 'after', 'hang'] as const)(
    '(%s) the result comes all the same; a hook and a counter tell',
    async (when) => {
      const b = boundary(ALLOW, { timeoutMs: 30 })
      b.ledger.fault = ({ event }) => (event === 'outcome' ? when : undefined)
      expect(await b.tool()).toBe('done')
      expect(b.engine.outcomeFailures).toBe(1)
      expect(b.faults).toMatchObject([{ stage: 'outcome' }])
    },
  )

  it("the function's own error comes all the same, and a hook that throws changes nothing", async () => {
    const b = boundary(ALLOW, {
      onError: () => {
        throw new Error('hook')
      },
    })
    b.ledger.fault = ({ event }) => (event === 'outcome' ? 'before' : undefined)
    const own = new Error('own')
    expect(await rejection(b.engine.execute(() => Promise.reject(own), [], { action: 'tool' }))).toBe(own)
    expect(b.engine.outcomeFailures).toBe(1)
  })

  it('an audit log that fails at the outcome changes nothing', async () => {
    let writes = 0
    const b = boundary(ALLOW, {
      auditLog: {
        write: () => {
          writes += 1
          if (writes > 1) throw new Error('full')
        },
      },
    })
    expect(await b.tool()).toBe('done')
    expect(b.engine.outcomeFailures).toBe(0)
    expect(b.faults).toMatchObject([{ stage: 'audit' }])
  })
})

describe('many at once', () => {
  it('keeps 200 concurrent calls apart', async () => {
    const b = boundary(policyOf(({ kwargs }) => (Number(kwargs.n) % 2 === 0 ? ALLOW : DENY)))
    const endings = await Promise.all(
      Array.from({ length: 200 }, (_, n) =>
        b.tool({ n }).then(
          () => 'ran',
          (error: CallDenied) => error.code,
        ),
      ),
    )
    expect(endings.filter((ending) => ending === 'ran')).toHaveLength(100)
    expect(b.tool.received.map(([input]) => (input as { n: number }).n % 2)).toEqual(new Array(100).fill(0))
    expect(await b.report()).toMatchObject({ ok: true, decisions: 200, outcomes: 100, open: 0 })
  })
})
