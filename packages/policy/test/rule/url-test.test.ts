// The tests of URLs that a rule accepts or rejects are in vectors/policy/decide.json.
import { expect, it, test } from 'vitest'
import { compileUrlTest, originOfText, urlOrigin } from '../../src/rule/url-test.js'

test.each<[string, string | null]>([
  ['https://Api.Example.com', 'https://api.example.com'],
  ['https://api.example.com:443', 'https://api.example.com'],
  ['http://a.example:8080', 'http://a.example:8080'],
  ['http://[::1]:80', 'http://[::1]'],
  ['s3://bucket', 's3://bucket'],
  ['file://', 'file://'],
  ['https://a.example/', null],
  ['https://a.example.', null],
  ['https://u@a.example', null],
  ['https://b\u00fccher.example', null],
  ['https://0x7f.1', null],
  ['https://a.example:0443', null],
  ['https://a%2eexample', null],
  ['https:a.example', null],
  ['a.example', null],
  ['', null],
])('the origin of %j is %j', (text, origin) => expect(originOfText(text)).toBe(origin))

it('agrees with the parser of Node on every host that it takes', () => {
  for (const authority of ['a.example', 'A.example:81', '127.0.0.1', '[::1]', '[::FFFF]:444', 'xn--bcher-kva.example'])
    expect(urlOrigin('https', authority) ?? 'null').toBe(new URL(`https://${authority}/`).origin)
})

it('without a path, any path of the origin', () => {
  const fits = compileUrlTest({ kind: 'url', origins: ['https://a.example', 's3://bucket', 'file://'], paths: null })
  for (const url of ['https://a.example', 'https://a.example/x/y?z', 's3://bucket/key', 'file:///srv/x'])
    expect(fits(url).truth).toBe('true')
  expect(fits('s3://other/key').truth).toBe('false')
  expect(fits(`https://a.example/${'x'.repeat(5_000)}`).truth).toBe('unclear')
})

it.each(['\r\nHost: evil', '\t', '\n', ' ', '\\', '\0', '\u200b', '\u00a0', '\ud800'])(
  'is unclear with %j in it, in its path, its query or its fragment',
  (piece) => {
    const fits = compileUrlTest({ kind: 'url', origins: ['https://a.example'], paths: null })
    for (const before of ['', '?q=', '#'])
      expect(fits(`https://a.example/x${before}${piece}y`).truth, before).toBe('unclear')
  },
)

it('two readings that differ are unclear, one that is inside in both is not', () => {
  const fits = compileUrlTest({ kind: 'url', origins: ['https://a.example'], paths: ['/a%', '/p/**'] })
  expect(fits('https://a.example/a%25').truth).toBe('unclear')
  expect(fits('https://a.example/p/%41').truth).toBe('true')
})
