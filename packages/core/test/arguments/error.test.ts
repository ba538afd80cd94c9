import { expect, it } from 'vitest'
import { SnapshotError } from '../../src/arguments/error.js'

it('has a code, a path and perhaps a cause, and a message of one line', () => {
  const cause = new Error('foreign')
  const error = new SnapshotError('args[0].a', 'cannot be read', { cause })
  expect(error).toMatchObject({ name: 'SnapshotError', code: 'PARAMETERS_INVALID', path: 'args[0].a', cause })
  expect(error.message).toBe('`args[0].a` cannot be read')
  expect('cause' in new SnapshotError('args[0]', 'is NaN')).toBe(false)
})
