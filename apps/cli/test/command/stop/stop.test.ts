// Tests `stop`, `resume` and `stops`: options, exit codes, and that another process that writes the ledger obeys.
import { writeFileSync } from 'node:fs'
import { generatePrivateKey } from '@sudoagent/crypto'
import { openLedgerWriter } from '@sudoagent/ledger'
import { describe, expect, it, test } from 'vitest'
import { SAMPLE, writeLedger } from '../../support/ledger.js'
import { type Sandbox, sandbox } from '../../support/sandbox.js'

const [key, stranger] = [generatePrivateKey(), generatePrivateKey()]
const ONE_ERROR = /^sudoagent: error: [^\n]+\nsudoagent: hint: [^\n]+\n$/
const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/

async function boxWith(ledger: string, signed = false): Promise<Sandbox> {
  const box = sandbox()
  writeFileSync(box.path('key.pem'), key.pem, { mode: 0o600 })
  writeFileSync(box.path('stranger.pem'), stranger.pem, { mode: 0o600 })
  await writeLedger(box.path(ledger), SAMPLE, signed ? key : undefined)
  return box
}
const NOTE = ['--reason', 'incident 12', '--by', 'alice']
const idIn = (text: string): string => UUID.exec(text)?.[0] ?? ''

describe.each(['l.sqlite', 'l.jsonl'])('%s', (ledger) => {
  it('is stopped, listed and resumed', async () => {
    const box = await boxWith(ledger)
    const stop = box.run(['stop', ledger, '--agent', 'billing-*', ...NOTE])
    expect(stop).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^stopped: agent billing-\*, from entry \d+ on\n/),
    })
    const id = idIn(stop.stdout)
    expect(stop.stderr).toBe(`sudoagent: hint: \`sudoagent resume ${ledger} ${id} --reason <text>\` ends the stop\n`)
    expect(box.run(['stop', ledger, '--agent', 'billing-*', ...NOTE])).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/already since entry \d+; nothing was written/),
    })
    const stops = box.run(['stops', ledger])
    expect(stops).toMatchObject({ code: 0, stderr: '' })
    for (const text of [id, 'agent billing-*', 'by alice', 'incident 12', 'in flight'])
      expect(stops.stdout).toContain(text)
    expect(box.run(['verify', ledger]).stdout).toContain('agent billing-*, since entry')
    expect(box.run(['resume', ledger, id.toUpperCase(), ...NOTE])).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^resumed: entry \d+ ends the stop/),
    })
    expect(box.run(['stops', ledger])).toMatchObject({ code: 0, stdout: 'no open stops\n' })
    expect(box.run(['resume', ledger, id, ...NOTE])).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(ONE_ERROR),
    })
    expect(box.run(['verify', ledger]).code).toBe(0)
  })

  it('prints JSON', async () => {
    const box = await boxWith(ledger)
    const stop = JSON.parse(box.run(['stop', ledger, '--all', '--json', ...NOTE]).stdout)
    expect(stop).toMatchObject({ stop_id: expect.stringMatching(UUID), scope: { all: true }, new: true })
    expect(JSON.parse(box.run(['stops', ledger, '--json']).stdout)).toMatchObject([
      { stop_id: stop.stop_id, position: stop.position, scope: { all: true }, reason: 'incident 12', by: 'alice' },
    ])
    const resume = JSON.parse(box.run(['resume', ledger, stop.stop_id, '--json', ...NOTE]).stdout)
    expect(resume).toEqual({ stop_id: stop.stop_id, position: stop.position + 1 })
  })
})

test.each<[string[], object]>([
  [['--all'], { all: true }],
  [['--agent', 'a?'], { agent: 'a?' }],
  [['--action', '*'], { action: '*' }],
  [['--tenant', 'acme'], { tenant: 'acme' }],
  [['--session', 'chat-7'], { session: 'chat-7' }],
  [['--on-behalf-of', 'alice'], { on_behalf_of: { id: 'alice' } }],
  [['--on-behalf-of', 'alice', '--issuer', 'i'], { on_behalf_of: { id: 'alice', issuer: 'i' } }],
  [
    ['--agent', 'a', '--action', 'b', '--tenant', 'c', '--session', 'd', '--on-behalf-of', 'e'],
    { action: 'b', agent: 'a', on_behalf_of: { id: 'e' }, session: 'd', tenant: 'c' },
  ],
])('%j selects calls', async (options, scope) => {
  const box = await boxWith('l.sqlite')
  expect(box.run(['stop', 'l.sqlite', ...options, ...NOTE]).code).toBe(0)
  expect(JSON.parse(box.run(['stops', 'l.sqlite', '--json']).stdout)).toMatchObject([{ scope }])
})

test.each<string[][]>([
  [[...NOTE]],
  [['--all', '--agent', 'a', ...NOTE]],
  [['--issuer', 'i', ...NOTE]],
  [['--agent', '', ...NOTE]],
  [['--agent', 'x'.repeat(257), ...NOTE]],
  [['--on-behalf-of', 'a\nb', ...NOTE]],
  [['--all', '--by', 'alice']],
  [['--all', '--reason', 'r']],
  [['--all', '--reason', 'x'.repeat(1_025), '--by', 'alice']],
  [['--all', '--reason', 'r', '--by', 'x'.repeat(257)]],
])('%j is a usage error, and stops nothing', async (options) => {
  const box = await boxWith('l.sqlite')
  expect(box.run(['stop', 'l.sqlite', ...options])).toMatchObject({ code: 2, stdout: '' })
  expect(box.run(['stops', 'l.sqlite']).stdout).toBe('no open stops\n')
})

it('SUDOAGENT_APPROVER names who decides', async () => {
  const box = await boxWith('l.sqlite')
  const env = { SUDOAGENT_APPROVER: 'bob' }
  expect(box.run(['stop', 'l.sqlite', '--all', '--reason', 'r'], { env }).code).toBe(0)
  expect(box.run(['stops', 'l.sqlite']).stdout).toContain('by bob')
})

it('a signed ledger wants a key of its own', async () => {
  const box = await boxWith('l.sqlite', true)
  const run = (...more: string[]) => box.run(['stop', 'l.sqlite', '--all', ...NOTE, ...more])
  for (const more of [[], ['--private-key', 'stranger.pem']])
    expect(run(...more)).toMatchObject({ code: 3, stdout: '', stderr: expect.stringMatching(ONE_ERROR) })
  expect(run('--private-key', 'key.pem').code).toBe(0)
})

it('no ledger is made, and none is begun', async () => {
  const box = sandbox()
  expect(box.run(['stop', 'missing.sqlite', '--all', ...NOTE])).toMatchObject({ code: 3, stdout: '' })
  expect(box.run(['resume', 'missing.sqlite', 'x', ...NOTE])).toMatchObject({ code: 3, stdout: '' })
  expect(box.run(['stops', 'missing.sqlite'])).toMatchObject({ code: 3, stdout: '' })
  expect(box.files()).toEqual([])
  const empty = await openLedgerWriter(box.path('empty.sqlite'), { begin: false })
  await empty.close()
  expect(box.run(['stop', 'empty.sqlite', '--all', ...NOTE])).toMatchObject({
    code: 3,
    stderr: expect.stringContaining('has no entries yet'),
  })
})

it('a process that writes a SQLite ledger obeys; one that writes a JSONL ledger is asked to stop there', async () => {
  const box = await boxWith('l.sqlite')
  const ledger = await openLedgerWriter(box.path('l.sqlite'))
  expect(box.run(['stop', 'l.sqlite', '--all', ...NOTE]).code).toBe(0)
  const [draft] = SAMPLE
  if (draft === undefined) throw new TypeError('no sample')
  await expect(ledger.append({ ...draft, request_id: 'another' })).rejects.toMatchObject({ code: 'STOPPED' })
  await ledger.close()
  const held = await openLedgerWriter(box.path('l.jsonl'))
  expect(box.run(['stop', 'l.jsonl', '--all', ...NOTE])).toMatchObject({
    code: 3,
    stdout: '',
    stderr: expect.stringMatching(/another process writes `l\.jsonl`\n.*engine\.stop.*SQLite/),
  })
  await held.close()
})

it('a ledger of a later release is refused', async () => {
  const box = await boxWith('l.sqlite')
  expect(box.run(['stop', 'l.sqlite', '--all', ...NOTE]).code).toBe(0)
  const { default: Database } = await import('better-sqlite3')
  const db = new Database(box.path('l.sqlite'))
  db.exec(`UPDATE sudoagent_head SET controls = '{"needs":["grant"],"positions":[1],"rows":1}'`)
  db.close()
  expect(box.run(['stop', 'l.sqlite', '--tenant', 't', ...NOTE])).toMatchObject({
    code: 3,
    stderr: expect.stringMatching(/`grant`.*\n.*upgrade/),
  })
})

it('nothing that a stop says reaches the terminal unescaped', async () => {
  const box = await boxWith('l.sqlite')
  const evil = '\u001b[2J\u202eevil'
  box.run(['stop', 'l.sqlite', '--agent', evil, '--tenant', evil, '--session', evil, '--reason', evil, '--by', evil])
  for (const command of [
    ['stops', 'l.sqlite'],
    ['verify', 'l.sqlite'],
    ['stop', 'l.sqlite', '--agent', evil, ...NOTE],
  ]) {
    const { stdout, stderr } = box.run(command)
    expect(`${stdout}${stderr}`).toContain('evil')
    expect(`${stdout}${stderr}`).not.toMatch(/[\u001b\u202e]/)
  }
})
