// Creates a guard and its engine, whose stores are all in memory. A single object contains the options of the guard and
// of the engine.
import { type EngineOptions, SudoEngine } from '@sudoagent/core'
import { Guard, type GuardOptions } from '../../src/guard.js'

export type Setup = Omit<GuardOptions, 'engine'> & Omit<EngineOptions, 'approver'>

export function guardOf(setup: Setup): Guard {
  const { policy, agentId, ledger, approvalStore, budget, auditLog, onConcealed, unicode, ...rest } = setup
  const { approvalTtlMs, timeoutMs, onError, clock, generateId, commitmentKey, ...options } = rest
  const engine = { policy, agentId, ledger, approvalStore, budget, auditLog, onConcealed, unicode }
  const others = { approvalTtlMs, timeoutMs, onError, clock, generateId, commitmentKey, redaction: options.redaction }
  const given = Object.entries({ ...engine, ...others }).filter(([, value]) => value !== undefined)
  return new Guard({
    ...options,
    engine: new SudoEngine(Object.fromEntries(given) as unknown as EngineOptions),
  })
}
