import { expect, it } from 'vitest'
import { fieldRow, rowsOf, verdictRow } from '../../src/text/rows.js'

it.each<[string, Parameters<typeof rowsOf>, readonly string[]]>([
  ['no terminal', ['- ', 'x'.repeat(200), undefined], [`- ${'x'.repeat(200)}`]],
  ['what fits', ['name  ', 'value', 40], ['name  value']],
  ['nothing', ['name  ', '', 40], ['name  ']],
  [
    'words',
    ['- ', 'one two three four five six seven eight nine', 40],
    ['- one two three four five six seven', '  eight nine'],
  ],
  ['a long word', ['- ', 'y'.repeat(50), 40], [`- ${'y'.repeat(37)}`, `  ${'y'.repeat(13)}`]],
  [
    'a long word behind a short one',
    ['- ', `a ${'y'.repeat(50)}`, 40],
    ['- a', `  ${'y'.repeat(37)}`, `  ${'y'.repeat(13)}`],
  ],
  [
    'another indent',
    ['sudoagent: note: ', 'a b c d e f g h i j k l m', 40, 4],
    ['sudoagent: note: a b c d e f g h i j k', '    l m'],
  ],
  ['wide characters', ['- ', '\u4e00'.repeat(20), 40], [`- ${'\u4e00'.repeat(18)}`, `  ${'\u4e00'.repeat(2)}`]],
])('%s', (_, args, rows) => expect(rowsOf(...args)).toEqual(rows))

it('blanks do not bring a text to the edge', () => {
  for (let blanks = 0; blanks < 120; blanks += 1)
    for (const row of rowsOf('- ', `${' '.repeat(blanks)}edge `.repeat(3), 40).slice(1)) expect(row).toMatch(/^ {2}/)
})

it('a field goes on in its column, and a verdict behind blanks', () => {
  expect(fieldRow('origin', 8, 'a '.repeat(20), { columns: 40 }).split('\n')[1]).toMatch(/^ {10}a/)
  const paint = (text: string): string => `<${text}>`
  expect(verdictRow('broken', 'do not rely on this ledger, or on this', { columns: 40, paint })).toMatch(
    /^<broken>: do not .*\n {2}\S.*\n$/,
  )
})
