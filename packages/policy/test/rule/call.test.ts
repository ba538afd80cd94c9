import { expect, test } from 'vitest'
import { splitAction } from '../../src/rule/call.js'

test.each([
  ['read', null, 'read'],
  ['files/read', 'files', 'read'],
  ['files/a/b', 'files', 'a/b'],
  ['/read', null, '/read'],
  ['files/', null, 'files/'],
  ['/', null, '/'],
  ['', null, ''],
])('`%s` is server %s, tool `%s`', (action, server, tool) => {
  expect(splitAction(action)).toEqual({ server, tool })
})
