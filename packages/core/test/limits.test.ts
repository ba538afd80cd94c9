import { encodeCanonical, JSON_DEPTH_MAX } from '@sudoagent/crypto/json'
import { describe, expect, it } from 'vitest'
import { takeSnapshot } from '../src/arguments/snapshot.js'
import { ARGUMENT_LIMITS, CLASS_NAME_LENGTH_MAX, METADATA_LIMITS, type SnapshotLimits } from '../src/limits.js'
import { buildContext } from '../src/policy/context.js'
import { createRedactor } from '../src/redaction/redactor.js'

/** The maximum size of a ledger entry, and the share reserved for fields other than arguments and metadata. */
const ENTRY_BYTES_MAX = 3 * 1024 * 1024
const OTHER_FIELDS_BYTES = 256 * 1024

/** Builds a value that is within the limits and takes as many bytes in the ledger as possible. */
function largest(limits: SnapshotLimits, text: string): object {
  const Long = Object.defineProperty(class {}, 'name', { value: 'X'.repeat(CLASS_NAME_LENGTH_MAX) })
  // The outer object, the list and the string are the other three nodes.
  const instances = Array.from({ length: limits.maxNodes - 3 }, () => new Long())
  return { i: instances, t: text.repeat(Math.floor((limits.maxStringLength - 2) / text.length)) }
}

describe('limits fit together', () => {
  it.each([
    ['control characters', '\u0001'],
    ['letters that normalisation takes apart', '\ufb2c'],
    ['short secrets', 'pwd=a;'],
  ])('the largest arguments and metadata, in %s, fit into an entry', (_, text) => {
    const context = buildContext({
      requestId: 'r',
      action: 'a',
      agentId: 'g',
      values: takeSnapshot([largest(ARGUMENT_LIMITS, text)], 'normalize').values,
      metadata: largest(METADATA_LIMITS, text),
      redactor: createRedactor(),
    })
    const bytes = Buffer.byteLength(encodeCanonical(context))
    expect(bytes).toBeLessThan(ENTRY_BYTES_MAX - OTHER_FIELDS_BYTES)
    expect(bytes).toBeGreaterThan(1024 * 1024)
  })

  it('the deepest arguments fit into the depth of a ledger line', () => {
    let value: unknown = 0
    for (let level = 0; level < ARGUMENT_LIMITS.maxDepth; level++) value = new Map([['m', value]])
    const context = buildContext({
      requestId: 'r',
      action: 'a',
      agentId: 'g',
      values: takeSnapshot([value]).values,
      redactor: createRedactor(),
    })
    // An entry nests the parameters three levels deep.
    expect(() => encodeCanonical({ parameters: { args: context.args } })).not.toThrow()
    expect(3 * ARGUMENT_LIMITS.maxDepth + 3).toBeLessThan(JSON_DEPTH_MAX)
  })
})
