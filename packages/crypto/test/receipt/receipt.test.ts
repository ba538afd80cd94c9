import { describe, expect, test } from 'vitest'
import { encodeReceipt, parseReceipt, RECEIPT_BYTES_MAX } from '../../src/receipt/receipt.js'
import { codeOf, cryptoErrorOf } from '../fixtures/errors.js'
import { changed, type Members } from '../fixtures/receipt-verdicts.js'
import { decisionLine, outcomeLine, SampleLog, sampleLog, sampleReceipt, sealEntry } from '../fixtures/receipts.js'

const refused = (text: Uint8Array | string): string => {
  expect(codeOf(() => parseReceipt(text))).toBe('RECEIPT_INVALID')
  return cryptoErrorOf(() => parseReceipt(text)).message
}

describe('encodeReceipt', () => {
  test('is JSON with two spaces, fields in the order of the format, and gives back what it was made of', async () => {
    const log = sampleLog()
    const [decision, outcome] = [await log.parts(3), await log.parts(5)]
    const text = encodeReceipt({ ...decision, outcome }, { withEntry: true })
    expect(text).toBe(`${JSON.stringify(JSON.parse(text), null, 2)}\n`)
    expect(Object.keys(JSON.parse(text)).join(' ')).toBe(
      'ledger_position schema_version ledger_version request_id created_at policy_id policy_hash decision_hash ' +
        'entry_hash entry_signature entry outcome proof',
    )
    const { line, proof, ledger_position, outcome: second } = parseReceipt(text)
    expect({ line, proof, position: ledger_position }).toEqual(decision)
    expect(second).toMatchObject({ line: outcome.line, proof: outcome.proof, ledger_position: 5 })
  })

  test('leaves out what the entries say, of both', async () => {
    const text = await sampleReceipt({ withEntry: false })
    expect(text).not.toContain('amount')
    expect(parseReceipt(text)).toMatchObject({ line: null, outcome: { line: null } })
    expect(Object.keys(JSON.parse(text).outcome)).not.toContain('entry')
  })

  test('without signature, proof and outcome there are nulls', () => {
    const text = encodeReceipt({ position: 1, line: decisionLine({ key: null }), proof: null }, { withEntry: true })
    expect(JSON.parse(text)).toMatchObject({ entry_signature: null, proof: null, outcome: null })
  })

  test('keeps every digit of a number that fits no double', async () => {
    const parameters = { args: [], kwargs: { amount: 'exact:13.000000000000000000001', big: 'exact:9007199254740993' } }
    const log = new SampleLog([decisionLine({ parameters })])
    const text = encodeReceipt(await log.parts(1), { withEntry: true })
    expect(text).toContain('"amount": 13.000000000000000000001')
    expect(parseReceipt(text).line).toBe(log.lines[0])
  })

  test('is written on one line when indentation would make it longer than a receipt may be', async () => {
    const deep = Array.from({ length: 100 }).reduce<unknown>((inner) => [inner], Array(150_000).fill(1))
    const log = new SampleLog([decisionLine({ parameters: { args: [deep], kwargs: {} } })])
    const text = encodeReceipt(await log.parts(1), { withEntry: true })
    expect(text.split('\n')).toHaveLength(2)
    expect(parseReceipt(text).line).toBe(log.lines[0])
  })

  test('an entry may be as deep as entries may', async () => {
    // The entry, `parameters` and `args` add three levels.
    const deep = Array.from({ length: 125 }).reduce<unknown>((inner) => [inner], 0)
    const log = sampleLog({ parameters: { args: [deep], kwargs: {} } })
    const outcome = await log.parts(5)
    const text = encodeReceipt({ ...(await log.parts(3)), outcome }, { withEntry: true })
    expect(parseReceipt(text).outcome?.line).toBe(log.lines[4])
  })

  test.each([
    ['an outcome in place of the decision', { position: 1, line: outcomeLine(), proof: null }, true],
    ['no entry', { position: 1, line: '[]', proof: null }, false],
    ['no JSON', { position: 1, line: '{"a"', proof: null }, false],
    ['an entry that is not canonical', { position: 1, line: `${decisionLine()} `, proof: null }, false],
    ['a control entry', { position: 1, line: sealEntry({ event: 'checkpoint' }), proof: null }, true],
    ['an entry without an event', { position: 1, line: sealEntry({}), proof: null }, false],
    ['a decision without its block', { position: 1, line: sealEntry({ event: 'decision' }), proof: null }, false],
    ['position 0', { position: 0, line: decisionLine(), proof: null }, false],
    ['half a position', { position: 1.5, line: decisionLine(), proof: null }, false],
  ])('%s', (_, parts, isReceipt) => {
    const encode = () => encodeReceipt(parts, { withEntry: true })
    // The encoder accepts the entry, because only the verifier checks that it is a decision.
    if (isReceipt) expect(parseReceipt(encode()).line).toBe(parts.line)
    else expect(codeOf(encode)).toBe('RECEIPT_INVALID')
  })
})

describe('parseReceipt', () => {
  test('reads bytes, any layout, and a receipt of before there were proofs', async () => {
    const receipt = await sampleReceipt({ withOutcome: false })
    const parsed = parseReceipt(receipt)
    expect(parseReceipt(new TextEncoder().encode(receipt))).toEqual(parsed)
    expect(parseReceipt(JSON.stringify(JSON.parse(receipt)))).toEqual(parsed)
    expect(parseReceipt(receipt.trimEnd().replaceAll('\n', '\r\n\t'))).toEqual(parsed)
    const old = changed(receipt, (members) => {
      for (const name of ['entry', 'outcome', 'proof']) delete members[name]
    })
    expect(parseReceipt(old)).toEqual({ ...parsed, line: null, proof: null, outcome: null })
  })

  test('refuses members that nothing vouches for', async () => {
    const receipt = await sampleReceipt()
    for (const name of ['note', 'Entry', '__proto__', 'constructor', 'toString']) {
      const text = receipt.replace('{', `{"${name}": {},`)
      expect(refused(text)).toContain('a member that receipts do not have')
      expect(refused(receipt.replace('"outcome": {', `"outcome": {"${name}": 1,`))).toContain('field `outcome`')
    }
    expect(
      refused(changed(receipt, (members) => Object.assign(members.outcome as object, { outcome: null }))),
    ).toContain('field `outcome` has a member')
  })

  test('borrows no member from Object.prototype', async () => {
    const text = changed(await sampleReceipt(), (members) => delete members.request_id).replace(
      '{',
      '{"__proto__":{"request_id":"x"},',
    )
    refused(text)
    expect(refused(text.replace('"__proto__":{"request_id":"x"},', ''))).toBe('field `request_id` is not a string')
  })

  test.each<[string, (members: Members) => unknown]>([
    ...['ledger_position', 'schema_version', 'ledger_version', 'request_id', 'created_at', 'policy_id'].map(
      (name): [string, (members: Members) => unknown] => [`without ${name}`, (members) => delete members[name]],
    ),
    ...['policy_hash', 'decision_hash', 'entry_hash', 'request_id', 'proof', 'entry', 'outcome', 'entry_signature'].map(
      (name): [string, (members: Members) => unknown] => [
        `a number as ${name}`,
        (members) => Object.assign(members, { [name]: 1 }),
      ],
    ),
    ['another version', (members) => Object.assign(members, { schema_version: '3.0' })],
    [
      'a hash in upper case',
      (members) => Object.assign(members, { entry_hash: String(members.entry_hash).toUpperCase() }),
    ],
    ['a signature that is too short', (members) => Object.assign(members, { entry_signature: 'AAAA' })],
    [
      'a signature in loose base64',
      (members) => Object.assign(members, { entry_signature: String(members.entry_signature).replace(/.==$/, 'h==') }),
    ],
    ['null as entry', (members) => Object.assign(members, { entry: null })],
    ['a list as entry', (members) => Object.assign(members, { entry: [] })],
    ['a list as outcome', (members) => Object.assign(members, { outcome: [] })],
    ['an entry with keys out of order', (members) => Object.assign(members, { entry: { z: 1, a: 2 } })],
    [
      'the content of the decision only',
      (members) => Object.assign(members, { outcome: { ...(members.outcome as object), entry: undefined } }),
    ],
    ['the content of the outcome only', (members) => Object.assign(members, { entry: undefined })],
  ])('%s', async (_, change) => {
    refused(changed(await sampleReceipt(), change))
  })

  test.each(['0', '-1', '3.0', '3e0', '1.5', '9007199254740992', '18446744073709551616', '"3"', 'true', '[3]'])(
    'position %s',
    async (position) => {
      const receipt = await sampleReceipt()
      expect(refused(receipt.replace('"ledger_position": 3', `"ledger_position": ${position}`))).toContain('position')
      expect(refused(receipt.replace('"ledger_position": 5', `"ledger_position": ${position}`))).toContain('outcome.')
    },
  )

  test.each([
    ['nothing', ''],
    ['null', 'null'],
    ['a list', '[]'],
    ['an empty object', '{}'],
    ['a byte order mark', '\ufeff{}'],
    ['NUL', '{\u0000}'],
    ['a lone surrogate', '{"request_id":"\ud800"}'],
    ['a lone surrogate, escaped', '{"request_id":"\\ud800"}'],
    ['no UTF-8', Uint8Array.of(0x7b, 0xff, 0x7d)],
    ['UTF-16', Uint8Array.from(Buffer.from('{}', 'utf16le'))],
    ['a thousand levels', '['.repeat(1000)],
    ['a million levels', '{"entry":'.repeat(1_000_000)],
    ['10 MB of spaces', ' '.repeat(10_000_000)],
    ['10 MB in a string', `{"request_id":"${'x'.repeat(10_000_000)}"}`],
    ['10 MB of members', `{${'"a":1,'.repeat(1_600_000)}"b":1}`],
    ['10 MB of quotes', '"\\"'.repeat(3_000_000)],
  ])('%s', (_, text) => {
    refused(text)
  })

  test('says so when it is a bare proof', async () => {
    expect(refused(await sampleLog().proof(3))).toContain('tlog-proof')
  })

  test('duplicate keys, however they are written, at any depth', async () => {
    const receipt = await sampleReceipt()
    for (const twice of [
      receipt.replace('"request_id"', '"request_id": "x", "request_id"'),
      receipt.replace('"request_id"', '"request_\\u0069d": "x", "request_id"'),
      receipt.replace('"amount"', '"amount": 41, "amount"'),
      receipt.replace('"outcome": {', '"outcome": null, "outcome": {'),
    ]) {
      expect(refused(twice)).toContain('duplicate key')
    }
  })

  test('an entry whose strings or numbers are respelt', async () => {
    const receipt = await sampleReceipt()
    for (const [from, to] of [
      ['"amount": 40', '"amount": 4e1'],
      ['"amount": 40', '"amount": 40.0'],
      ['"amount"', '"\\u0061mount"'],
      ['"metadata": {}', '"metadata": { "e\u0301": 1 }'],
    ] as const) {
      expect(refused(receipt.replace(from, to))).toContain('field `entry` is not the canonical text of an entry')
    }
  })

  test('a receipt as long as may be, and one byte more', async () => {
    const receipt = await sampleReceipt()
    const longest = receipt + ' '.repeat(RECEIPT_BYTES_MAX - Buffer.byteLength(receipt))
    expect(parseReceipt(longest)).toEqual(parseReceipt(receipt))
    expect(refused(`${longest} `)).toContain('longer than')
    expect(refused(new TextEncoder().encode(`${longest} `))).toContain('longer than')
    // The text has more bytes than characters, and the limit is in bytes.
    expect(refused('é'.repeat(RECEIPT_BYTES_MAX - 1))).toContain('longer than')
  })

  test('anything but text is the mistake of the caller', () => {
    for (const text of [undefined, null, 1, {}, new ArrayBuffer(1)]) {
      expect(() => parseReceipt(text as never)).toThrow(TypeError)
    }
  })
})
