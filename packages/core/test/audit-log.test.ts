import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { JsonlAuditLog } from '../src/audit-log.js'
import { AuditLogError } from '../src/error.js'
import { ALLOW, boundary, rejection } from './fixtures/boundary.js'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sudoagent-audit-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const record = {
  timestamp: '2026-01-01T00:00:00.000000Z',
  event: 'decision',
  request_id: 'r',
  action: 'a',
  agent_id: 'g',
} as const

it('writes one JSON object a line, in order, readable by its owner only', async () => {
  const path = join(folder, 'audit.jsonl')
  const log = new JsonlAuditLog(path)
  await Promise.all(Array.from({ length: 20 }, (_, nth) => log.write({ ...record, nth, reason: 'line\nbreak' })))
  const lines = readFileSync(path, 'utf8').trimEnd().split('\n')
  expect(lines.map((line) => JSON.parse(line).nth)).toEqual(Array.from({ length: 20 }, (_, nth) => nth))
  expect(statSync(path).mode & 0o777).toBe(0o600)
})

it('rejects when it cannot be written, and goes on when it can again', async () => {
  const path = join(folder, 'missing', 'audit.jsonl')
  const log = new JsonlAuditLog(path)
  await expect(log.write(record)).rejects.toThrow('ENOENT')
  await expect(log.write(record)).rejects.toThrow('ENOENT')
})

it('without its audit log the boundary lets nothing run', async () => {
  const b = boundary(ALLOW, { auditLog: new JsonlAuditLog(join(folder, 'missing', 'audit.jsonl')) })
  expect(await rejection(b.tool())).toBeInstanceOf(AuditLogError)
  expect([b.tool.runs(), (await b.entries()).length]).toEqual([0, 0])
})
