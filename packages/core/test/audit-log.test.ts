import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
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

it.each([0o644, 0o666, 0o620, 0o604])(
  'takes a file that was there with mode %o for its owner alone, and goes on in it',
  async (mode) => {
    const path = join(folder, 'audit.jsonl')
    writeFileSync(path, '{"nth":0}\n')
    chmodSync(path, mode)
    await new JsonlAuditLog(path).write({ ...record, nth: 1 })
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(
      readFileSync(path, 'utf8')
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line).nth),
    ).toEqual([0, 1])
  },
)

it.each<[string, (path: string, victim: string) => void]>([
  ['a link to a file', (path, victim) => symlinkSync(victim, path)],
  ['a link to nothing', (path, victim) => symlinkSync(`${victim}-none`, path)],
  ['a link in a folder that is linked', (path) => symlinkSync(join(path, '..'), path)],
  ['a folder', (path) => mkdirSync(path)],
  ['a pipe', (path) => execFileSync('mkfifo', [path])],
])('writes nothing through %s, and nothing runs', async (_, plant) => {
  const path = join(folder, 'audit.jsonl')
  const victim = join(folder, 'victim')
  writeFileSync(victim, 'mine')
  plant(path, victim)
  const b = boundary(ALLOW, { auditLog: new JsonlAuditLog(path) })
  expect(await rejection(b.tool())).toBeInstanceOf(AuditLogError)
  expect(b.tool.runs()).toBe(0)
  expect(readFileSync(victim, 'utf8')).toBe('mine')
  expect(existsSync(`${victim}-none`)).toBe(false)
})

it('looks at the file at each record: a link that is planted later is not followed', async () => {
  const path = join(folder, 'audit.jsonl')
  const log = new JsonlAuditLog(path)
  await log.write(record)
  rmSync(path)
  symlinkSync(join(folder, 'elsewhere'), path)
  await expect(log.write(record)).rejects.toThrow('ELOOP')
  expect(existsSync(join(folder, 'elsewhere'))).toBe(false)
})
