import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { SAMPLE, writeLedger } from '../../support/ledger.js'
import { Sandbox } from '../../support/sandbox.js'

const box = new Sandbox()

beforeAll(() => writeLedger(box.path('l.sqlite'), SAMPLE))
afterAll(() => box.remove())

const lines = (text: string): number => text.split('\n').length - 1

describe('search', () => {
  it.each([
    ['in a parameter', ['--query', 'TICKET 4711'], 2],
    ['in a name', ['--query', 'amount'], 1],
    ['in a reason, in any script', ['--query', '退款'], 2],
    ['in an error', ['--query', 'timeouterror'], 1],
    [
      'in the time that is asked for',
      ['--query', 'refund_user', '--start', '2026-11-22T20:00:03Z', '--end', '2026-11-22T20:00:05Z'],
      3,
    ],
  ])('%s', (_, args, found) => {
    const { code, stdout, stderr } = box.run(['search', 'l.sqlite', ...args])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(lines(stdout)).toBe(found)
  })

  it('writes the other formats too', () => {
    expect(JSON.parse(box.run(['search', 'l.sqlite', '--query', 'amount', '--format', 'json']).stdout)).toHaveLength(1)
    expect(box.run(['search', 'l.sqlite', '--query', 'amount', '--output', 'found.csv']).code).toBe(0)
    expect(box.files()).toContain('found.csv')
  })

  it('nothing fits: exit 1 and a note', () => {
    expect(box.run(['search', 'l.sqlite', '--query', 'nowhere'])).toEqual({
      code: 1,
      stdout: '',
      stderr: 'sudoagent: note: no matching entries\n',
    })
  })

  it.each([
    [['l.sqlite'], '--query'],
    [['l.sqlite', '--query', ''], '--query'],
    [['l.sqlite', '--query', 'x', '--start', '2026-11-23', '--end', '2026-11-22'], '--start'],
  ])('%j: exit 2', (args, option) => {
    const { code, stdout, stderr } = box.run(['search', ...args])
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toMatch(/^sudoagent: error: [^\n]+\nsudoagent: hint: [^\n]+\n$/)
    expect(stderr).toContain(option)
  })
})
