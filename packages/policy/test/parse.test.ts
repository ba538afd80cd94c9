import { describe, expect, it, test } from 'vitest'
import { hashDocument } from '../src/document.js'
import { POLICY_FILE_CODES, PolicyFileError } from '../src/error.js'
import { parsePolicyFile } from '../src/parse.js'
import { readVectors } from './vectors.js'

interface Reject {
  readonly name: string
  readonly text: string
  readonly code: string
  readonly line: number
  readonly column: number
}

function refusalOf(text: string): PolicyFileError {
  try {
    parsePolicyFile(text, 'p.yaml')
  } catch (error) {
    if (error instanceof PolicyFileError) return error
    throw error
  }
  throw new Error('it was taken for a policy')
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

const YAML = `# a comment
sudoagent_policy: 1
id: files
version: 3
description: what the agent may do with files
rules:
  - id: reads
    server: files
    tool: [read_file, list_*]
    args:
      path: { root: /srv/data, glob: '**', resolve_symlinks: true }
      limit: { gt: 0, lte: 1e3 }
    effect: allow
    reason: reading
`

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
          effect: 'allow',
          reason: 'reading',
        },
      ],
    })
  })

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

test.each([
  ['`ruels`', 'sudoagent_policy: 1\nid: p\nruels: []\n', 'rules'],
  ['`efect`', 'sudoagent_policy: 1\nid: p\nrules:\n  - { id: a, efect: deny, reason: r }\n', 'effect'],
  [
    '`oneof`',
    'sudoagent_policy: 1\nid: p\nrules:\n  - { id: a, args: { x: { oneof: [1] } }, effect: deny, reason: r }\n',
    'one_of',
  ],
  ['`alow`', 'sudoagent_policy: 1\nid: p\nrules:\n  - { id: a, effect: alow, reason: r }\n', 'allow'],
])('a misspelling such as %s is answered with the right word', (_, text, word) => {
  expect(refusalOf(text).hint).toBe(`did you mean \`${word}\`?`)
})

describe('limits', () => {
  const rules = (count: number): string =>
    Array.from({ length: count }, (_, i) => `  - { id: r${i}, tool: t, effect: deny, reason: r }\n`).join('')
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

// Found with an earlier version of the reader: the library recursed to the end of the stack, where V8 ends the process.
test.each([
  ['brackets', '['.repeat(60_000)],
  ['braces', '{a: '.repeat(30_000)],
  ['list marks', '- '.repeat(60_000)],
  ['key marks', '? '.repeat(60_000)],
  ['anchors', '&a '.repeat(30_000)],
  ['documents', '---\n'.repeat(10_000)],
  ['commas', `[${','.repeat(20_000)}]`],
  ['keys', Array.from({ length: 5_000 }, (_, i) => `k${i}: 1`).join('\n')],
])('a file of nothing but %s is refused, with a place', (_, text) => {
  expect(refusalOf(text).line).not.toBeNull()
})
