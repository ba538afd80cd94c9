// Tests the commitments to the parameters of calls, and to results, against HMACs that the test computes itself.
import { createHash, createHmac } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { takeSnapshot } from '../../src/arguments/snapshot.js'
import { bindParameters, commitmentAs } from '../../src/commitment/bound-parameters.js'
import { SudoEngine } from '../../src/engine.js'
import { buildContext, UNRECORDABLE } from '../../src/policy/context.js'
import { createRedactor } from '../../src/redaction/redactor.js'
import { ALLOW, ASK, boundary, DENY, rejection } from '../fixtures/boundary.js'
import { asking, decisionsOf, KINDS, questionsOf, shelf } from '../fixtures/questions.js'

const KEY = Uint8Array.from({ length: 32 }, (_, n) => n)
const KEY_ID = createHash('sha256').update(KEY).digest('hex').slice(0, 16)
const hmac = (text: string): string => createHmac('sha256', KEY).update(text).digest('hex')
const [NFC, NFD] = ['caf\u00e9', 'cafe\u0301']

/** The commitment to parameters, of which the test gives the canonical text. */
const committed = (requestId: unknown, parameters: string) => ({
  key_id: KEY_ID,
  hmac: hmac(`{"parameters":${parameters},"request_id":"${String(requestId)}"}`),
})

async function entryOf(args: readonly unknown[], options: object = {}, result = ALLOW) {
  const b = boundary(result, { commitmentKey: KEY, ...options })
  await b.tool(...args).catch(() => {})
  const [entry] = await b.entries()
  if (entry === undefined) throw new Error('nothing was recorded')
  return entry
}

describe('the commitment of a decision', () => {
  it.each<[string, readonly unknown[], string]>([
    [
      'a call with named arguments',
      [{ to: 'ada', password: 'hunter2hunter2', amount: 1.5 }],
      '{"args":[],"kwargs":{"amount":1.5,"password":"hunter2hunter2","to":"ada"}}',
    ],
    [
      'a call with positional arguments',
      ['password', 'hunter2hunter2', [null, true]],
      '{"args":["password","hunter2hunter2",[null,true]],"kwargs":{}}',
    ],
    ['a call without arguments', [], '{"args":[],"kwargs":{}}'],
    [
      'a text that the record marks',
      ['<undefined>', '[redacted]'],
      '{"args":["<undefined>","[redacted]"],"kwargs":{}}',
    ],
    ['a secret in a name', [{ 'token=abcdef1234567890': 1 }], '{"args":[],"kwargs":{"token=abcdef1234567890":1}}'],
    ['an object without a prototype', [Object.assign(Object.create(null), { a: 1 })], '{"args":[],"kwargs":{"a":1}}'],
  ])('is over the parameters before redaction: %s', async (_, args, parameters) => {
    for (const result of [ALLOW, DENY]) {
      const entry = await entryOf(args, { onConcealed: 'allow' }, result)
      expect(entry.decision.effect).toBe(result === ALLOW ? 'allow' : 'deny')
      expect(entry.commitment).toEqual(committed(entry.request_id, parameters))
    }
  })

  it('is over texts as given, without NFC', async () => {
    const of = async (text: string) => {
      const b = boundary(ALLOW, { commitmentKey: KEY, unicode: 'normalize' })
      await b.engine.authorize({ action: 'tool', args: [{ [text]: [text] }], requestId: 'r-1' })
      return (await b.entries())[0]
    }
    const [nfc, nfd] = [await of(NFC), await of(NFD)]
    expect(nfc?.commitment).toEqual(committed('r-1', `{"args":[],"kwargs":{"${NFC}":["${NFC}"]}}`))
    expect(nfd?.commitment).toEqual(committed('r-1', `{"args":[],"kwargs":{"${NFD}":["${NFD}"]}}`))
    expect(nfd?.parameters).toEqual(nfc?.parameters)
  })

  it('tells apart two calls that differ only behind a redaction', async () => {
    const of = async (password: string) => {
      const b = boundary(ALLOW, { commitmentKey: KEY })
      await b.engine.authorize({ action: 'tool', args: [{ password }], requestId: 'r-1' })
      return (await b.entries())[0]
    }
    const [one, other] = [await of('hunter2hunter2'), await of('hunter3hunter3')]
    expect(one?.parameters).toEqual(other?.parameters)
    expect(one?.commitment?.hmac).not.toBe(other?.commitment?.hmac)
  })

  it.each<[string, unknown]>([
    ['bytes', Buffer.from('a')],
    ['an instance', new (class Order {})()],
    ['a function', () => {}],
    ['a symbol', Symbol('x')],
    ['a promise', Promise.resolve()],
    ['a RegExp', /x/],
    ['a bigint', 1n],
    ['an integer beyond 2^53', 2 ** 53],
    ['minus zero', -0],
    ['undefined', undefined],
    ['a hole', Object.assign([], { length: 1 })],
    ['a Date', new Date()],
    ['a Map', new Map()],
    ['a Set', new Set()],
    ['a URL', new URL('https://example.org')],
    ['a Date under a sensitive name', { password: new Date() }],
  ])('is left out for a call with %s', async (_, value) => {
    for (const args of [[value], [{ deep: [{ value }] }]]) {
      expect(await entryOf(args, { onConcealed: 'allow' })).not.toHaveProperty('commitment')
      expect(await entryOf(args, {}, DENY)).not.toHaveProperty('commitment')
    }
  })

  it('is left out for arguments that cannot be recorded, and for the placeholder of a guard', async () => {
    expect(await entryOf([Number.NaN])).not.toHaveProperty('commitment')
    expect(await entryOf([NFD])).not.toHaveProperty('commitment')
    const b = boundary(DENY, { commitmentKey: KEY })
    await b.engine.authorize({ action: 'tool', args: UNRECORDABLE })
    await b.engine.authorize({ action: 'tool', args: ['<unrecordable>'] })
    expect((await b.entries()).map(({ commitment }) => commitment !== undefined)).toEqual([false, true])
  })

  it('is left out without a key', async () => {
    expect(await entryOf([1], { commitmentKey: undefined })).not.toHaveProperty('commitment')
  })

  it('is over the one reading that was decided on', async () => {
    let reads = 0
    const entry = await entryOf([
      {
        get amount() {
          reads += 1
          return reads
        },
      },
    ])
    // The second reading denies the call; the commitment is to the first one, as the recorded parameters are.
    expect(entry.decision.reason_code).toBe('PARAMETERS_CHANGED')
    expect(entry.parameters?.kwargs).toEqual({ amount: 1 })
    expect(entry.commitment).toEqual(committed(entry.request_id, '{"args":[],"kwargs":{"amount":1}}'))
  })

  it('is over the own fields of a plain receiver, and left out for an instance', async () => {
    const b = boundary(ALLOW, { commitmentKey: KEY })
    const pay = b.engine.guard(async () => 'done', { action: 'pay', receiver: true })
    class Account {
      owner = 'ada'
    }
    await Reflect.apply(pay, { owner: 'ada', secret: 'hunter2hunter2' }, [{ n: 1 }])
    await Reflect.apply(pay, { owner: 'ada' }, [1])
    await Reflect.apply(pay, new Account(), [])
    const decisions = (await b.entries()).filter(({ event }) => event === 'decision')
    const [named, listed, instance] = decisions
    expect(named?.commitment).toEqual(
      committed(named?.request_id, '{"args":[],"kwargs":{"n":1,"this":{"owner":"ada","secret":"hunter2hunter2"}}}'),
    )
    expect(listed?.commitment).toEqual(committed(listed?.request_id, '{"args":[1],"kwargs":{"this":{"owner":"ada"}}}'))
    expect(instance?.commitment).toBeUndefined()
  })

  it('has the request id as the entry has it', async () => {
    const b = boundary(ALLOW, { commitmentKey: KEY, generateId: () => NFD })
    await b.tool(1)
    const [entry] = await b.entries()
    expect(entry?.request_id).toBe(NFC)
    expect(entry?.commitment).toEqual(committed(NFC, '{"args":[1],"kwargs":{}}'))
  })

  it('is of the same value exactly for the same parameters', async () => {
    const redactor = createRedactor()
    const of = (args: readonly unknown[]) => {
      const snapshot = takeSnapshot(args, 'normalize')
      const facts = { requestId: 'r', action: 'a', agentId: 'b', values: snapshot.values, redactor }
      return bindParameters(KEY, buildContext(facts), snapshot)
    }
    const value = fc.oneof(
      fc.constantFrom<unknown>('token=abc123def456', 'token=abc123def457', NFC, NFD, 0, 1, null, [], {}, { a: NFD }),
      fc.dictionary(fc.constantFrom('password', 'a', 'b'), fc.constantFrom('x1y2z3', 'x1y2z4', 1), { maxKeys: 2 }),
    )
    const args = fc.array(value, { maxLength: 2 })
    fc.assert(
      fc.property(args, args, (first, second) => {
        // A call without arguments and one with an empty object have the same parameters.
        const [one, other] = [
          ['x', ...first],
          ['x', ...second],
        ]
        const [a, b] = [of(one), of(other)]
        const sorted = (list: unknown) =>
          JSON.stringify(list, (_, v) =>
            typeof v === 'object' && v !== null && !Array.isArray(v) ? Object.fromEntries(Object.entries(v).sort()) : v,
          )
        expect(a?.commitment.hmac === b?.commitment.hmac).toBe(sorted(one) === sorted(other))
        // Under another request id, such as that of an open question.
        const renamed = a === null ? null : commitmentAs(KEY, 'q', a.given)
        expect(renamed?.hmac).not.toBe(a?.commitment.hmac)
      }),
    )
  })
})

describe.each(KINDS)('%s: the commitment of a question', (kind) => {
  it('is that of its decision, and of the stored request', async () => {
    const place = shelf(kind)
    const a = asking(place, ({ asked }) => asked?.commitment !== undefined, { commitmentKey: KEY })
    await a.tool({ password: 'hunter2hunter2', to: 'ada' })
    const lines = await place.lines()
    const [[question], [decision]] = [questionsOf(lines), decisionsOf(lines)]
    const expected = committed(decision?.request_id, '{"args":[],"kwargs":{"password":"hunter2hunter2","to":"ada"}}')
    expect(question?.commitment).toEqual(expected)
    expect(decision?.commitment).toEqual(expected)
    expect(decision?.decision).toMatchObject({ effect: 'allow' })
    expect(await place.report()).toMatchObject({ ok: true, findings: [] })
  })

  it('is that of a denial, too, and of neither for a call with a value that JSON does not have', async () => {
    const place = shelf(kind)
    const a = asking(place, () => false, { commitmentKey: KEY })
    await rejection(a.tool({ to: 'ada' }))
    await rejection(a.tool({ to: 1n }))
    const lines = await place.lines()
    const commitments = [...questionsOf(lines), ...decisionsOf(lines)].map(({ commitment }) => commitment)
    expect(commitments[0]).toBeDefined()
    expect(commitments).toEqual([commitments[0], undefined, commitments[0], undefined])
    expect(await place.report()).toMatchObject({ ok: true, findings: [] })
  })
})

describe('the option', () => {
  it('is copied at once, by `open` as well', async () => {
    const key = Uint8Array.from(KEY)
    const place = shelf('sqlite')
    const opening = SudoEngine.open({
      policy: { policyId: 'p', version: '1', evaluate: () => ALLOW },
      agentId: 'agent',
      ledger: place.path,
      commitmentKey: key,
    })
    key.fill(9)
    const engine = await opening
    await engine.authorize({ action: 'tool' })
    await engine.close()
    expect((await place.lines())[1]?.commitment).toMatchObject({ key_id: KEY_ID })
  })

  it.each([null, 'x'.repeat(32), new Uint8Array(31)])('is a key: %#', async (commitmentKey) => {
    expect(() => boundary(ALLOW, { commitmentKey: commitmentKey as never })).toThrow(/`commitmentKey` must be/)
    const options = { policy: ASK as never, agentId: 'a', ledger: 'never.sqlite', commitmentKey }
    expect(await rejection(SudoEngine.open(options as never))).toBeInstanceOf(TypeError)
  })
})
