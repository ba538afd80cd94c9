import { describe, expect, it } from 'vitest'
import { notShownIn } from '../../src/text/not-shown.js'

const line = (metadata: unknown): string => JSON.stringify({ action: 'a', metadata })
const place = (path: string, length: number) => ({ path, kind: 'name', length })

describe('notShownIn', () => {
  it.each<[unknown, string | null]>([
    [{ concealed: [place('command', 42)] }, '42 characters are NOT SHOWN (command)'],
    [{ concealed: [place('a', 1)] }, '1 character is NOT SHOWN (a)'],
    [
      { concealed: ['a', 'b', 'c', 'd', 'd'].map((path) => place(path, 2)) },
      '10 characters are NOT SHOWN (a, b, c, and 1 more)',
    ],
    [{}, null],
    [{ concealed: [] }, null],
    // A caller may set an unrelated `concealed` member.
    ...[true, 'x', [1], [null], [{ path: 'a' }], [place('a', -1)], [place('a', 1.5)], [{ path: 1, length: 1 }]].map(
      (concealed): [unknown, null] => [{ concealed }, null],
    ),
    [{ concealed: Array.from({ length: 1_001 }, () => place('a', 1)) }, null],
  ])('%j', (metadata, says) => {
    expect(notShownIn(line(metadata))).toBe(says)
  })

  it('needs no metadata', () => {
    expect(notShownIn('{"action":"a"}')).toBeNull()
    expect(notShownIn('{"action":"a","metadata":null}')).toBeNull()
  })
})
