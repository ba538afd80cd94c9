// Tests the layout of help: required options are marked, subcommands come first, and narrow terminals show the whole
// text.
import { expect, it } from 'vitest'
import { hasTerminal, sandbox, skipUnless } from './support/sandbox.js'

const box = sandbox
const skip = skipUnless(hasTerminal(), 'no pseudo-terminal is available')

it.each([
  ['keygen', ['--private-key', '--public-key']],
  ['mcp guard', ['--policy', '--ledger']],
  ['receipt verify', ['--public-key']],
  ['approvals approve', ['--approver']],
  ['verify', []],
])('%s: required options are marked', (command, required) => {
  const { stdout } = box().run([...command.split(' '), '--help'])
  const marked = [...stdout.matchAll(/^ {2}(--[a-z-]+)[^\n]*? {2}required: /gm)].map(([, option]) => option)
  expect(marked).toEqual(required)
})

it('the first help names the subcommands', () => {
  const flat = box().run(['--help']).stdout.replace(/\s+/g, ' ')
  for (const [name, below] of [
    ['receipt <ledger>', 'verify, page'],
    ['key', 'show, rotate, retire, close'],
    ['approvals', 'list, show, approve, deny'],
    ['mcp', 'guard, accept'],
    ['postgres', 'init, check, grant'],
  ] as const)
    expect(flat).toMatch(new RegExp(` ${name} [^()]*\\(${below}\\)`))
})

it.skipIf(skip).each([
  [80, '--help'],
  [40, '--help'],
  [40, 'keygen --help'],
  [40, 'mcp guard --help'],
  [24, 'verify --help'],
])('in %i columns, no text of `%s` is wider than the terminal', (columns, args) => {
  const { stdout } = box().terminal(args.split(' '), columns)
  const lines = stdout.split('\n')
  expect(lines.length).toBeGreaterThan(20)
  // The layout never wraps a command, a single long word, or a term with its value.
  const wide = lines.filter((line) => line.length > columns && !/^ *(?:\$ .*|\S+|-\S.*|\w+ \[.*|\w+ <.*)$/.test(line))
  expect(wide).toEqual([])
})
