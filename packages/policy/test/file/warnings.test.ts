import { expect, test } from 'vitest'
import { parsePolicyFile } from '../../src/file/parse.js'
import { policyWarnings } from '../../src/file/warnings.js'

const warn = (tool: string, args: string, effect = 'allow') =>
  policyWarnings(
    parsePolicyFile(
      `sudoagent_policy: 1\nid: p\nrules:\n  - { id: a, tool: ${tool}, args: ${args}, effect: ${effect}, reason: r }\n`,
      'p',
    ),
  )

test.each([
  ['run', '{ x: { prefix: git status } }'],
  ['t', '{ command: { prefix: git status } }'],
  ['t', '{ shellCommand: { prefix: [ls, cat] } }'],
  ['t', '{ steps.*.cmd: { prefix: npm } }'],
  ['t', '{ commands.*: { prefix: npm } }'],
  ['execute_sql', '{ statement: { prefix: SELECT } }'],
])('warns of a prefix of a command: %s %s', (tool, args) => {
  const [warning, ...more] = warn(tool, args)
  expect(more).toEqual([])
  expect(warning).toMatchObject({ line: 4, rule: 'a' })
  expect(warning?.message).toMatch(/also allows `[^`]+; …` and `[^`]+ && …`$/)
})

test.each([
  ['run', '{ command: { equals: git status } }', 'allow'],
  ['run', '{ command: { prefix: rm } }', 'deny'],
  ['send', '{ title: { prefix: "Re: " } }', 'allow'],
  ['recommend', '{ shelf: { prefix: a } }', 'allow'],
])('is quiet about %s %s', (tool, args, effect) => expect(warn(tool, args, effect)).toEqual([]))
