import { describe, expect, it, test } from 'vitest'
import { parsePolicyFile } from '../../src/file/parse.js'
import { hashDocument } from '../../src/rule/document.js'
import { YAML } from '../fixtures/policy-text.js'

describe('the hash of a policy', () => {
  test.each([
    ['a tool', 'list_*', 'list_?'],
    ['a bound', '1e3', '1e4'],
    ['an effect', 'allow', 'deny'],
    ['a reason', 'reading', 'writing'],
    ['the id', 'id: files', 'id: filez'],
    ['the version', 'version: 3', 'version: 4'],
    ['the root', '/srv/data', '/srv/date'],
    ['following links', ', resolve_symlinks: true', ''],
    ['a kind of bound', 'lte: 1e3', 'lt: 1e3'],
  ])('has another hash with another: %s', (_, from, to) => {
    expect(YAML).toContain(from)
    expect(hashDocument(parsePolicyFile(YAML.replace(from, to), 'a'))).not.toBe(
      hashDocument(parsePolicyFile(YAML, 'a')),
    )
  })

  it('is known by this hash for ever: it stands in ledgers', () => {
    expect(hashDocument(parsePolicyFile('sudoagent_policy: 1\nid: none\nrules: []\n', 'a'))).toBe(
      'c48544fab3c3cd6d9e63aff3182740fa45b9656f0b81e67382fc0c2b496d1629',
    )
    expect(hashDocument(parsePolicyFile(YAML, 'a'))).toBe(
      'f519b2f8c3c8113662b593acbcd0fba691468a3b1abd8de7cb8999bd2d3c0077',
    )
  })

  it('does not say where a rule stands, only in which order', () => {
    const moved = YAML.replace('rules:\n', '\n\n# moved\nrules:\n')
    expect(hashDocument(parsePolicyFile(moved, 'a'))).toBe(hashDocument(parsePolicyFile(YAML, 'a')))
    const rule = (id: string): string => `  - { id: ${id}, tool: t${id}, effect: deny, reason: r }\n`
    const file = (...ids: string[]): string => `sudoagent_policy: 1\nid: p\nrules:\n${ids.map(rule).join('')}`
    const [one, other] = [file('a', 'b'), file('b', 'a')].map((text) => hashDocument(parsePolicyFile(text, 'a')))
    expect(one).not.toBe(other)
  })
})
