import { expect, it } from 'vitest'
import { escapeKey, escapeText } from '../../src/redaction/placeholder.js'

it('escapes texts that look like a placeholder, and no others', () => {
  for (const text of [
    '<undefined>',
    '<Uint8Array:16>',
    '<Map>',
    '<text>',
    '<text><text>a',
    '[redacted]',
    '[redacted] a',
  ])
    expect(escapeText(text, text)).toBe(`<text>${text}`)
  for (const text of ['', 'a', '<', '<a b>', '<b>x', ' <undefined>', 'a [redacted]', '<Uint8Array:>'])
    expect(escapeText(text, text)).toBe(text)
})

it('judges the text as given and as redacted', () => {
  expect(escapeText('ghp_abc', '[redacted]')).toBe('[redacted]')
  expect(escapeText('<ghp_abc>', '<[redacted]>')).toBe('<[redacted]>')
  expect(escapeText('[redacted] ghp_abc', '[redacted] [redacted]')).toBe('<text>[redacted] [redacted]')
})

it('escapes keys that look like the tag of a container', () => {
  for (const key of ['<Map>', '<Set>', '<text>', '[redacted]#2']) expect(escapeKey(key, key)).toBe(`<text>${key}`)
  for (const key of ['<undefined>', '<b>', 'a']) expect(escapeKey(key, key)).toBe(key)
})
