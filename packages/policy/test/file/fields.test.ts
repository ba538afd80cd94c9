import { expect, test } from 'vitest'
import { refusalOf } from '../fixtures/policy-text.js'

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

test('what is like nothing is answered with what there is', () => {
  const { hint, message } = refusalOf(`sudoagent_policy: 1\nid: p\nnothing_like_it: 1\nrules: []\n`)
  expect(hint).toBe('the keys are `sudoagent_policy`, `id`, `version`, `description`, `rules`')
  expect(message).toContain('`nothing_like_it`')
})

test('an endless key is shortened', () => {
  expect(refusalOf(`sudoagent_policy: 1\n${'k'.repeat(5_000)}: 1\n`).message.length).toBeLessThan(200)
})

test.each([
  ['an escape for a terminal', 'sudoagent_policy: 1\nid: "a\\e[31m\\nb"\n', '`a\\u{1b}[31m\\u{a}b` is not a valid id'],
  ['a key of several lines, twice', '{"a\\nb": 1, "a\\nb": 2}', 'the key `a\\u{a}b` is duplicated'],
])('%s is said on one line, and cannot draw', (_, text, says) => {
  const { message } = refusalOf(text)
  expect(message).toContain(says)
  expect(message).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}]/u)
})
