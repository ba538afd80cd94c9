import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { formatPem, parsePem, pemLabel } from '../../src/key/pem.js'
import { codeOf } from '../fixtures/errors.js'

const BODY = 'MCowBQYDK2VwAyEAQJHP6UJ2FdRDWuHN4vrHWTx7Fc5RIQRw43PROjGojxs='
const PEM = `-----BEGIN PUBLIC KEY-----\n${BODY}\n-----END PUBLIC KEY-----\n`

test('reads what it writes, and what OpenSSL writes', () => {
  expect(formatPem('PUBLIC KEY', parsePem(PEM))).toBe(PEM)
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 300 }), (bytes) => {
      const pem = formatPem('X', bytes)
      expect(parsePem(pem)).toEqual(bytes)
      for (const line of pem.split('\n')) expect(line.length).toBeLessThanOrEqual(64)
    }),
  )
})

test.each([
  ['CRLF', PEM.replaceAll('\n', '\r\n')],
  ['no line end after the block', PEM.trimEnd()],
  ['white space around the block', `\n  ${PEM}\n\n`],
  ['a byte order mark', `\ufeff${PEM}`],
  ['lines of another length', PEM.replace('AyEA', 'AyEA\n')],
])('takes %s', (_, pem) => {
  expect(parsePem(pem)).toEqual(parsePem(PEM))
  expect(pemLabel(pem)).toBe('PUBLIC KEY')
})

describe('refuses', () => {
  test.each([
    ['nothing', ''],
    ['two blocks', PEM + PEM],
    ['text before the block', `Key: value\n${PEM}`],
    ['text after the block', `${PEM}more`],
    ['labels that differ', PEM.replace('END PUBLIC', 'END PRIVATE')],
    ['no end', PEM.slice(0, 80)],
    ['an empty block', '-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----\n'],
    ['an empty line inside', PEM.replace('\nMCow', '\n\nMCow')],
    ['a space inside', PEM.replace('AyEA', 'Ay EA')],
    ['a space at the end of a line', PEM.replace('s=\n', 's= \n')],
    ['a lone carriage return', PEM.replaceAll('\n', '\r')],
    ['four dashes', PEM.replaceAll('-----', '----')],
    ['small letters in the label', PEM.replaceAll('PUBLIC', 'public')],
    ['a header field', PEM.replace('\nMCow', '\nProc-Type: 4,ENCRYPTED\n\nMCow')],
    ['no padding', PEM.replace('s=\n', 's\n')],
    ['stray bits', PEM.replace('s=\n', 't=\n')],
    ['padding inside', PEM.replace('AyEA', 'AyE=')],
    ['the URL alphabet', PEM.replace('AyEA', 'Ay_-')],
    ['more than 16 KiB', formatPem('PUBLIC KEY', new Uint8Array(13_000))],
  ])('%s', (_, pem) => {
    expect(codeOf(() => parsePem(pem))).toBe('KEY_INVALID')
  })
})

test('pemLabel reads the first label only', () => {
  expect(pemLabel('-----BEGIN EC PRIVATE KEY-----\n')).toBe('EC PRIVATE KEY')
  expect(pemLabel(`x${PEM}`)).toBeNull()
  expect(pemLabel('-----BEGIN -----\n')).toBeNull()
  expect(pemLabel(`${' '.repeat(20_000)}${PEM}`)).toBeNull()
})
