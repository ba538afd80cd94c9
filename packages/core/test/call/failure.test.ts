import { describe, expect, it } from 'vitest'
import { processorTime } from '../../../crypto/test/fixtures/processor-time.js'
import { describeFailure } from '../../src/call/failure.js'
import { createRedactor } from '../../src/redaction/redactor.js'

const describeError = (error: unknown) => describeFailure(error, createRedactor())

describe('describeFailure', () => {
  it.each([
    ["ENOENT: no such file, open '/home/ada/.ssh/id'", 'id'],
    ['at C:\\Users\\ada\\secret.txt', 'secret.txt'],
    ['\\\\server\\share\\file', 'share'],
    ['file:///etc/shadow was read', 'shadow'],
    ['~/ledger.sqlite is locked', 'ledger.sqlite'],
    ['../boundary/relative/path.ts:12:3', 'path.ts'],
    ['thrown in src/pay/refund.ts', 'refund.ts'],
    ['(/srv/app/index.js)', 'index.js'],
  ])('takes the path out of %j', (message, part) => {
    const { error } = describeError(new Error(message))
    expect(error).toContain('<path>')
    expect(error).not.toContain(part)
  })

  it.each(['3/4 of 1/2', 'and/or', 'see https://example.com/help', 'rate is 5/min', 'a / b'])(
    'leaves %j alone',
    (message) => {
      expect(describeError(new Error(message)).error).toBe(message)
    },
  )

  it('takes secrets out, and is at most 200 characters', () => {
    expect(describeError(new Error('password=hunter2 refused')).error).not.toContain('hunter2')
    expect(describeError(new Error('x'.repeat(500))).error).toHaveLength(200)
    expect(describeError(new Error(`${'x'.repeat(198)}😀😀`)).error.isWellFormed()).toBe(true)
  })

  it('names the type, unless that is a message in disguise', () => {
    expect(describeError(new RangeError('x')).error_type).toBe('RangeError')
    expect(describeError(Object.assign(new Error('x'), { name: '/etc/passwd is mine' })).error_type).toBe('Error')
    expect([undefined, null, 'text', 5, {}].map((thrown) => describeError(thrown).error_type)).toEqual([
      'undefined',
      'null',
      'string',
      'number',
      'object',
    ])
  })

  it('never throws itself', () => {
    const hostile = new Proxy(new Error('x'), {
      get: () => {
        throw new Error('gotcha')
      },
      getPrototypeOf: () => {
        throw new Error('gotcha')
      },
    })
    expect(describeError(hostile)).toEqual({ error_type: 'Error', error: '' })
  })

  it('takes linear time for a hostile message', () => {
    const took = processorTime()
    for (const part of ['a/', './', '/', 'C:\\', '\\\\', 'file://', 'a.b/'])
      describeError(new Error(part.repeat(200_000)))
    expect(took()).toBeLessThan(2_000)
  })
})
