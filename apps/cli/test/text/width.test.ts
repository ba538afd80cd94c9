import { describe, expect, it } from 'vitest'
import { fit, padEnd, padStart, widthOf } from '../../src/text/width.js'

describe('widthOf', () => {
  it.each([
    ['', 0],
    ['refund_user', 11],
    ['Grüße', 5],
    ['退款在限额内', 12],
    ['ﾊﾝｶｸ', 4],
    ['한국어', 6],
    ['全角！', 6],
    ['🤖', 2],
    ['👩‍👩‍👧‍👦', 2],
    ['🇩🇪', 2],
    ['❤️', 2],
    ['©', 1],
    ['cafe\u0301', 4],
    ['\u0301', 0],
    ['a→b', 3],
  ])('%j takes %i cells', (text, cells) => expect(widthOf(text)).toBe(cells))
})

describe('fit', () => {
  it('leaves alone what fits', () => {
    expect(fit('within limit', 12)).toBe('within limit')
    expect(fit('退款', 4)).toBe('退款')
  })

  it('never gives a wide character half a cell', () => {
    expect(fit('退款在限', 5)).toBe('退款…')
    expect(fit('退款在限', 4)).toBe('退…')
  })

  it('keeps a character and its marks together', () => expect(fit('cafe\u0301s here', 5)).toBe('cafe\u0301…'))

  it('does not measure what can only be invisible', () => {
    const text = `a${'\u0301'.repeat(1_000_000)}`
    expect(fit(text, 5).length).toBeLessThan(100)
  })

  it('fills the cells it was given and no more, whatever the text', () => {
    for (let cells = 1; cells < 12; cells += 1) expect(widthOf(fit('a退b款🤖c在', cells))).toBeLessThanOrEqual(cells)
  })
})

describe('padding', () => {
  it('counts cells, not characters', () => {
    expect(padEnd('退款', 6)).toBe('退款  ')
    expect(padStart('7', 3)).toBe('  7')
    expect(padEnd('longer', 3)).toBe('longer')
  })
})
