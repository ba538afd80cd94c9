import { expect, it } from 'vitest'
import { parsePolicyFile } from '../../src/file/parse.js'
import { refusalOf } from '../fixtures/policy-text.js'

const file = (...rules: readonly string[]): string =>
  `sudoagent_policy: 1\nid: p\nrules:\n${rules.map((rule, n) => `  - { id: r${n}, ${rule}, reason: r }\n`).join('')}`

it('names both lines', () => {
  const { message } = refusalOf(file('tool: [read, write], effect: allow', 'tool: read, effect: deny'))
  expect(message).toContain('`r1` on line 5: `r0` on line 4 decides first')
})

it('names all rules that decide in its place, up to three', () => {
  const { message } = refusalOf(file('tool: a, effect: allow', 'tool: b, effect: allow', 'tool: [a, b], effect: deny'))
  expect(message).toContain('`r0` on line 4 and `r1` on line 5 decide first')
})

it.each<[string, string, string]>([
  ['another tool', 'tool: a, effect: allow', 'tool: b, effect: deny'],
  ['one tool more', 'tool: a, effect: allow', 'tool: [a, b], effect: deny'],
  ['a wider pattern', 'tool: read_f*, effect: allow', 'tool: read_*, effect: deny'],
  ['patterns that cross', 'tool: "*_file", effect: allow', 'tool: read_*, effect: deny'],
  ['no server', 'server: "*", effect: allow', 'tool: t, effect: deny'],
  ['another server', 'server: a, effect: allow', 'server: b, tool: t, effect: deny'],
  ['an argument that the first tests', 'tool: t, args: { x: { equals: 1 } }, effect: allow', 'tool: t, effect: deny'],
  [
    'an argument with another value',
    'tool: t, args: { x: { equals: 1 } }, effect: deny',
    'tool: t, args: { x: { equals: 2 } }, effect: allow',
  ],
  [
    'arguments that are unclear to a rule that allows',
    'tool: t, args: { x: { equals: 1 } }, effect: allow',
    'tool: t, args: { x: { equals: 1 } }, effect: deny',
  ],
  [
    'no other arguments',
    'tool: t, args: { x: { present: true } }, args_only: true, effect: deny',
    'tool: t, args: { x: { present: true } }, effect: allow',
  ],
])('a rule with %s may be reached', (_, first, second) => {
  expect(parsePolicyFile(file(first, second), 'p').rules).toHaveLength(2)
})
