// Tests `approve` and `deny` on a stored request while no engine is running: refusals, and the confirmation at a
// terminal. `approvals.test.ts` tests both commands with a running engine.
import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { SqliteApprovalStore } from '@sudoagent/core/sqlite'
import { describe, expect, it, test } from 'vitest'
import { stateIn, storeWith } from '../../support/approval-store.js'
import { writeLedger } from '../../support/ledger.js'
import { hasTerminal, sandbox, skipUnless } from '../../support/sandbox.js'
import { typeInto } from '../../support/typist.js'

const ONE_ERROR = /^sudoagent: error: [^\n]+\nsudoagent: hint: [^\n]+\n$/

describe('what is refused', () => {
  test.each([
    [
      'an unknown id',
      1,
      ['approvals', 'approve', 'approvals.sqlite', 'r2', '--approver', 'a', '--yes'],
      /no approval `r2`/,
    ],
    ['an endless id', 1, ['approvals', 'show', 'approvals.sqlite', 'r'.repeat(5_000)], /no approval/],
    ['nobody', 2, ['approvals', 'approve', 'approvals.sqlite', 'r1', '--yes'], /--approver is missing/],
    [
      'an empty name',
      2,
      ['approvals', 'approve', 'approvals.sqlite', 'r1', '--yes', '--approver', ' '],
      /--approver is empty/,
    ],
    [
      'a name with an escape',
      2,
      ['approvals', 'deny', 'approvals.sqlite', 'r1', '--yes', '--approver', '\u001b[2J'],
      /--approver contains a control/,
    ],
    [
      'an endless reason',
      2,
      ['approvals', 'deny', 'approvals.sqlite', 'r1', '--yes', '--approver', 'a', '--reason', 'x'.repeat(5_000)],
      /--reason is longer/,
    ],
    [
      'no terminal and no --yes',
      3,
      ['approvals', 'approve', 'approvals.sqlite', 'r1', '--approver', 'a'],
      /the confirmation needs a terminal/,
    ],
    ['an unknown state', 2, ['approvals', 'list', 'approvals.sqlite', '--state', 'open'], /--state/],
    ['no such store', 3, ['approvals', 'list', 'missing.sqlite'], /missing\.sqlite/],
    ['a folder', 3, ['approvals', 'list', '.'], /is not a file/],
    [
      'a ledger',
      3,
      ['approvals', 'approve', 'ledger.sqlite', 'r1', '--approver', 'a', '--yes'],
      /not an approval store/,
    ],
    ['a text', 3, ['approvals', 'list', 'text.sqlite'], /text\.sqlite/],
  ])('%s: exits with %i, and nothing has changed', async (_, code, args, says) => {
    const box = sandbox()
    await storeWith(box)
    await writeLedger(box.path('ledger.sqlite'), [])
    writeFileSync(box.path('text.sqlite'), 'hello')
    const before = readFileSync(box.path('ledger.sqlite'))
    const ran = box.run(args)
    expect({ code: ran.code, stdout: ran.stdout }).toEqual({ code, stdout: '' })
    expect(ran.stderr).toMatch(ONE_ERROR)
    expect(ran.stderr).toMatch(says)
    expect(await stateIn(box)).toBe('pending')
    expect(readFileSync(box.path('ledger.sqlite')).equals(before)).toBe(true)
    expect(box.files().filter((name) => name.startsWith('missing'))).toEqual([])
  })
})

it('lists nothing, and says so', async () => {
  const box = sandbox()
  await storeWith(box)
  const { code, stdout, stderr } = box.run(['approvals', 'list', 'approvals.sqlite', '--state', 'denied'])
  expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: '', stderr: 'sudoagent: note: no denied approvals\n' })
})

it('takes the beginning of an id, where it is that of one only', async () => {
  const box = sandbox()
  const ids = ['083a0f8c-664e', '083a1111-664e']
  await storeWith(box, {}, ids)
  const approve = (id: string) => box.run(['approvals', 'approve', 'approvals.sqlite', id, '--approver', 'a', '--yes'])
  expect(approve('083a')).toMatchObject({ code: 1, stderr: expect.stringContaining('2 approvals begin with `083a`') })
  expect(approve('083')).toMatchObject({ code: 1, stderr: expect.stringContaining('no approval `083`') })
  expect(approve('083a1')).toMatchObject({ code: 0 })
  expect(approve('083a1111-664e')).toMatchObject({ code: 1 })
  const list = (state: string) => box.run(['approvals', 'list', 'approvals.sqlite', '--state', state]).stdout
  expect(list('approved')).toContain(ids[1])
  expect(list('used')).toBe('')
  const store = SqliteApprovalStore.open(box.path('approvals.sqlite'))
  const seen = await store.get(ids[1] ?? '', new Date())
  await store.consume(ids[1] ?? '', seen?.binding ?? expect.unreachable(), new Date())
  await store.close()
  expect(list('used')).toContain(ids[1])
  expect(list('pending')).toContain(ids[0])
})

const noTerminal = skipUnless(hasTerminal(), 'no pseudo-terminal is available, so confirmations are not tested')

describe.skipIf(noTerminal)('on a terminal', () => {
  const question = 'as `alice`? [y/N] '
  const approve = '$S approvals approve approvals.sqlite r1 --approver alice; echo "exit $?"'

  it('shows the call, and takes a yes', async () => {
    const box = sandbox()
    await storeWith(box)
    const shown = await typeInto(box, approve, [{ sees: question, types: 'y\n' }])
    expect(shown).toContain('"amount": "5"')
    expect(shown).toMatch(/approved: pay\\u\{1b\}\[2J\\u\{202e\} for bot\\u\{a\}action {4}harmless, by alice\nexit 0/)
    expect(shown).not.toMatch(/\u202e|\u200b|\u001b\[2J/)
    expect(await stateIn(box)).toBe('approved')
  })

  test.each([
    ['no', 'n\n'],
    ['Enter', '\n'],
    ['half a yes', 'yep\n'],
    ['the end of input', '\u0004'],
    ['a y and the end of input', 'y\u0004\u0004'],
  ])('takes %s for a no', async (_, types) => {
    const box = sandbox()
    await storeWith(box)
    expect(await typeInto(box, approve, [{ sees: question, types }])).toContain('exit 1')
    expect(await stateIn(box)).toBe('pending')
  })

  it('does not take what was typed before the question', async () => {
    const box = sandbox()
    await storeWith(box)
    const line = `echo ready; sleep 0.5; ${approve}`
    const steps = [
      { sees: 'ready', types: 'y\ny\n' },
      { sees: question, types: 'n\n' },
    ]
    expect(await typeInto(box, line, steps)).toContain('exit 1')
    expect(await stateIn(box)).toBe('pending')
  })

  const many = Object.fromEntries(Array.from({ length: 60 }, (_, at) => [`k${at}`, 'v']))

  it('shows a long call page by page, to its end, before it asks', async () => {
    const box = sandbox()
    await storeWith(box, { ...many, zz_amount: '1000000' })
    const steps = [
      { sees: 'page 1 of 2, the call continues', types: '\n' },
      { sees: question, types: 'y\n' },
    ]
    const shown = await typeInto(box, approve, steps)
    expect(shown).toContain('"zz_amount": "1000000"')
    expect(shown).toContain('exit 0')
    expect(await stateIn(box)).toBe('approved')
  })

  it('does not take a yes on a page before the last', async () => {
    const box = sandbox()
    await storeWith(box, { ...many, zz_amount: '1000000' })
    const shown = await typeInto(box, approve, [{ sees: 'page 1 of 2', types: 'y\n' }])
    expect(shown).toContain('exit 1')
    expect(shown).not.toContain('zz_amount')
    expect(await stateIn(box)).toBe('pending')
  })

  it('breaks long texts itself: no piece of one looks like a row of ours', async () => {
    const box = sandbox()
    await storeWith(box, { note: `${' '.repeat(500)}action    harmless`.repeat(3) })
    const { stdout } = box.terminal(['approvals', 'show', 'approvals.sqlite', 'r1'], 60)
    expect(stdout.match(/^action/gm)).toHaveLength(1)
    for (const row of stdout.split('\n')) expect(row.length).toBeLessThanOrEqual(60)
  })
})

describe('a store that other users can write to', () => {
  const commands = [
    ['list', 'approvals.sqlite'],
    ['show', 'approvals.sqlite', 'r1'],
    ['deny', 'approvals.sqlite', 'r1', '--approver', 'a', '--yes'],
  ]
  it.each(commands)('%s: refused with the option that opens it, and opened with that', async (command, ...args) => {
    const box = sandbox()
    await storeWith(box)
    for (const mode of [0o620, 0o602, 0o666]) {
      chmodSync(box.path('approvals.sqlite'), mode)
      const { code, stdout, stderr } = box.run(['approvals', command, ...args])
      expect({ code, stdout }).toEqual({ code: 3, stdout: '' })
      expect(stderr).toMatch(
        /other users can write to it \(mode 0\d{3}\)\n.*run `chmod 600` on it, or give --allow-other-writers\n$/,
      )
      expect(stderr).not.toContain('allowOtherWriters')
    }
    expect(await box.run(['approvals', command, ...args, '--allow-other-writers']).code).toBe(0)
  })

  it('and a folder where every user can replace it', async () => {
    const box = sandbox()
    await storeWith(box)
    chmodSync(box.folder, 0o777)
    expect(box.run(['approvals', 'list', 'approvals.sqlite'])).toMatchObject({
      code: 3,
      stderr: expect.stringMatching(
        /every user can replace it .*\n.*`chmod o-w` on the folder, or give --allow-other-writers\n$/,
      ),
    })
    expect(box.run(['approvals', 'list', 'approvals.sqlite', '--allow-other-writers']).code).toBe(0)
  })
})
