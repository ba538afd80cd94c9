import { expect, it } from 'vitest'
import { isIntegerText } from '../../src/arguments/integer-text.js'
import { takeSnapshot } from '../../src/arguments/snapshot.js'
import { buildContext } from '../../src/policy/context.js'
import { createRedactor } from '../../src/redaction/redactor.js'

const contextOf = (value: object) =>
  buildContext({
    requestId: 'r',
    action: 'a',
    agentId: 'b',
    values: takeSnapshot([value]).values,
    redactor: createRedactor(),
  })

it('tells an integer that is written as digits from a text of digits', () => {
  const { kwargs } = contextOf({
    id: 9007199254740993n,
    text: '9007199254740993',
    list: [1, 2n ** 64n, 1e23],
    small: 1,
  })
  expect(kwargs).toEqual({
    id: '9007199254740993',
    text: '9007199254740993',
    list: [1, '18446744073709551616', '99999999999999991611392'],
    small: 1,
  })
  expect(['id', 'text', 'list', 'small'].filter((key) => isIntegerText(kwargs, key))).toEqual(['id'])
  expect(['0', '1', '2'].filter((key) => isIntegerText(kwargs.list as object, key))).toEqual(['1', '2'])
  expect(isIntegerText({ ...kwargs }, 'id')).toBe(false)
})
