import { describe, expect, it } from 'vitest'
import { POLICY_FILE_CODES } from '../../src/error.js'
import { parsePolicyFile } from '../../src/file/parse.js'
import { hashDocument } from '../../src/rule/document.js'
import { refusalOf, YAML } from '../fixtures/policy-text.js'
import { readVectors } from '../fixtures/vectors.js'

interface Reject {
  readonly name: string
  readonly text: string
  readonly code: string
  readonly line: number
  readonly column: number
}

describe('vectors/policy/reject.json', () => {
  const vectors = readVectors<Reject>('policy/reject.json')

  it.each(vectors)('$name', ({ text, code, line, column }) => {
    const error = refusalOf(text)
    expect({ code: error.code, line: error.line, column: error.column }).toEqual({ code, line, column })
    expect(error.message).toMatch(/^`p\.yaml`, line \d+, column \d+: [^\n]+$/)
    expect(error.hint).toMatch(/^[^\n]+$/)
  })

  it('has every code that a text can have', () => {
    const ofFiles = ['POLICY_FILE_UNREADABLE', 'POLICY_FILE_KIND_UNKNOWN', 'POLICY_MODULE_INVALID']
    const codes = new Set([...vectors.map(({ code }) => code), ...ofFiles])
    expect([...codes].sort()).toEqual([...POLICY_FILE_CODES].sort())
  })
})

describe('what a file says', () => {
  it('is the same in YAML and in JSON, whatever the order of keys, and has one hash', () => {
    const json = JSON.stringify({
      id: 'files',
      sudoagent_policy: 1,
      rules: [
        {
          reason: 'reading',
          effect: 'allow',
          args: {
            path: { glob: ['**'], resolve_symlinks: true, root: '/srv/data' },
            limit: { lte: 1000, gt: 0 },
          },
          tool: ['read_file', 'list_*'],
          server: ['files'],
          id: 'reads',
        },
      ],
      description: 'what the agent may do with files',
      version: '3',
    })
    const [yaml, other] = [parsePolicyFile(YAML, 'a.yaml'), parsePolicyFile(json, 'a.json')]
    expect(hashDocument(other)).toBe(hashDocument(yaml))
    expect(yaml).toEqual({
      id: 'files',
      version: '3',
      description: 'what the agent may do with files',
      rules: [
        {
          id: 'reads',
          line: 7,
          servers: ['files'],
          tools: ['read_file', 'list_*'],
          args: [
            {
              path: 'path',
              segments: ['path'],
              tests: [{ kind: 'glob', globs: ['**'], root: '/srv/data', resolveSymlinks: true }],
            },
            { path: 'limit', segments: ['limit'], tests: [{ kind: 'range', gt: 0, lte: 1000 }] },
          ],
          argsOnly: false,
          effect: 'allow',
          reason: 'reading',
          withinMs: null,
        },
      ],
    })
  })

  it('may have Windows line ends, a byte order mark, and emoji in escapes', () => {
    const text = `\uFEFF${YAML.replace('reading', '"\\ud83d\\ude00"').replaceAll('\n', '\r\n')}`
    expect(parsePolicyFile(text, 'a').rules[0]?.reason).toBe('😀')
  })

  it('is frozen at every depth', () => {
    const visit = (value: unknown): void => {
      if (typeof value !== 'object' || value === null) return
      expect(Object.isFrozen(value)).toBe(true)
      for (const child of Object.values(value)) visit(child)
    }
    visit(parsePolicyFile(YAML, 'a'))
  })
})

describe('limits', () => {
  const rules = (count: number): string =>
    Array.from({ length: count }, (_, i) => `  - { id: r${i}, tool: t${i}, effect: deny, reason: r }\n`).join('')
  const head = 'sudoagent_policy: 1\nid: p\nrules:\n'

  it.each([
    ['500 rules', head + rules(500), null],
    ['501 rules', head + rules(501), 'POLICY_LIMIT'],
    ['a file of more than 128 KiB', `${head}${rules(1)}#${'x'.repeat(128 * 1024)}\n`, 'POLICY_LIMIT'],
    ['257 tools', `${head}  - { id: a, tool: [${'t, '.repeat(257)}], effect: deny, reason: r }\n`, 'POLICY_LIMIT'],
    [
      'a reason of 1,001 characters',
      `${head}  - { id: a, effect: deny, reason: ${'r'.repeat(1001)} }\n`,
      'POLICY_LIMIT',
    ],
    ['a line far to the right', `${head}${' '.repeat(70)}- { id: a }\n`, 'POLICY_LIMIT'],
    [
      'an argument 17 keys deep',
      `${head}  - { id: a, args: { ${Array(17).fill('a').join('.')}: { present: true } }, effect: deny, reason: r }\n`,
      'POLICY_LIMIT',
    ],
  ])('%s', (_, text, code) => {
    if (code === null) expect(parsePolicyFile(text, 'p').rules).toHaveLength(500)
    else expect(refusalOf(text).code).toBe(code)
  })
})
