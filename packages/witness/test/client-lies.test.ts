import { createCosigner, encodeSignatureLine } from '@sudoagent/crypto/note'
import { describe, expect, test } from 'vitest'
import {
  type Answer,
  ask,
  forgetBeforeEach,
  fork,
  honest,
  key,
  lineOf,
  log,
  lying,
  NAME,
  proofs,
  requests,
  SIZE,
} from './fixtures/asking.js'
import { codeOf, errorOf } from './fixtures/errors.js'
import { signerOf } from './fixtures/log.js'

forgetBeforeEach()

describe('with a witness that lies', () => {
  const answered = async (...answer: Answer): Promise<string> => codeOf(async () => ask(await lying(() => answer)))

  test('takes no cosignature but that of this checkpoint by this key', async () => {
    const checkpoint = await log.checkpoint(9)
    const good = await lineOf(checkpoint)
    const flipped = good.replace(/.(?=...\n)/, (char) => (char === 'A' ? 'B' : 'A'))
    const plain = encodeSignatureLine({ name: NAME, keyHash: key.keyHash, bytes: new Uint8Array(64) })
    for (const lines of [
      '',
      '\n',
      'ok\n',
      good.trimEnd(),
      `${good}\n`,
      `\n${good}`,
      `${good}junk\n`,
      `junk\n\n${good}`,
      checkpoint + good,
      good.replace('\n', '\r\n'),
      `${good}\0\n`,
      flipped,
      good + flipped,
      plain,
      good.replace('— ', '- '),
      await lineOf(await log.checkpoint(10)),
      await lineOf(await fork.checkpoint(9)),
      await lineOf(await log.checkpoint(9, ['extension'])),
      await lineOf(
        checkpoint,
        createCosigner(NAME, signerOf(5), () => 1),
      ),
      await lineOf(
        checkpoint,
        createCosigner('witness.example/w2', signerOf(4), () => 1),
      ),
      good.repeat(101),
    ]) {
      expect(await answered(200, lines), JSON.stringify(lines)).toBe('WITNESS_ANSWER_INVALID')
    }
    expect(await answered(200, Buffer.from([0xff, 0xfe, 0x0a]))).toBe('WITNESS_ANSWER_INVALID')
    expect(await answered(200, 'x'.repeat(200_000))).toBe('WITNESS_ANSWER_INVALID')
  })

  test('ignores lines by keys that nobody knows, and keeps none of them', async () => {
    const checkpoint = await log.checkpoint(9)
    const stranger = await lineOf(
      checkpoint,
      createCosigner('stranger', signerOf(5), () => 1),
    )
    const good = await lineOf(checkpoint)
    const { note } = await ask(await lying(() => [200, stranger + good + good]))
    expect(note).toBe(checkpoint + good)
  })

  test('takes no size but a strict one, of the right type', async () => {
    for (const [body, headers] of [
      ['5', SIZE],
      ['5\n\n', SIZE],
      ['05\n', SIZE],
      ['+5\n', SIZE],
      ['5.0\n', SIZE],
      ['', SIZE],
      ['x\n', SIZE],
      ['9007199254740992\n', SIZE],
      ['99999999999999999999\n', SIZE],
      ['0\n', SIZE],
      ['5\n', { 'Content-Type': 'text/plain' }],
      ['5\n', {}],
    ] as const) {
      requests.length = 0
      expect(await answered(409, body, headers), body).toBe('WITNESS_ANSWER_INVALID')
      expect(requests).toHaveLength(1)
    }
    expect(await answered(409, Buffer.from([0xff, 0x0a]), SIZE)).toBe('WITNESS_ANSWER_INVALID')
    expect(await answered(409, '10\n', SIZE)).toBe('WITNESS_AHEAD')
    expect(await answered(409, '9007199254740991\n', { 'Content-Type': 'Text/X.Tlog.Size; charset=utf-8' })).toBe(
      'WITNESS_AHEAD',
    )
  })

  test('tries three times at most', async () => {
    const url = await lying((_, tries) => [409, `${tries}\n`, SIZE])
    expect(await errorOf(() => ask(url))).toMatchObject({ code: 'WITNESS_REFUSED', witnessSize: 3 })
    expect(requests.map((request) => request.split('\n')[0])).toEqual(['old 0', 'old 1', 'old 2'])
    expect(proofs).toEqual([
      [1, 9],
      [2, 9],
    ])
  })

  test('starts anew with a witness that has forgotten', async () => {
    const checkpoint = await log.checkpoint(9)
    const good = await lineOf(checkpoint)
    const url = await lying((_, tries) => (tries === 1 ? [409, '0\n', SIZE] : [200, good]))
    expect((await ask(url, { oldSize: 5 })).note).toBe(checkpoint + good)
    expect(requests[1]?.startsWith('old 0\n\n')).toBe(true)
  })

  test('hears of a conflict in each way that there is to say it', async () => {
    const at = (oldSize: number, ...answer: Answer) => codeOf(async () => ask(await lying(() => answer), { oldSize }))
    expect(await at(9, 409, '9\n', SIZE)).toBe('WITNESS_CONFLICT')
    expect(await at(9, 409, 'other root\n')).toBe('WITNESS_CONFLICT')
    expect(await at(9, 422, '')).toBe('WITNESS_CONFLICT')
    expect(await at(5, 422, '')).toBe('WITNESS_CONFLICT')
    expect(await at(0, 422, '')).toBe('WITNESS_REFUSED')
    expect(await at(5, 409, '5\n', SIZE)).toBe('WITNESS_ANSWER_INVALID')
  })

  test('follows no redirect', async () => {
    const target = await honest()
    for (const status of [301, 302, 303, 307, 308]) {
      const url = await lying(() => [status, '', { Location: `${target}/add-checkpoint` }])
      expect(await errorOf(() => ask(url))).toMatchObject({
        code: 'WITNESS_REFUSED',
        hint: expect.stringContaining('redirects are not followed'),
      })
    }
  })

  test('shows a bounded, harmless part of what it says', async () => {
    const url = await lying(() => [503, `\u001b[31mred \`x\` \u202e${'y'.repeat(5000)}\nsecond line`])
    const { code, message } = await errorOf(() => ask(url))
    expect(code).toBe('WITNESS_REFUSED')
    expect(message).toMatch(/^the witness answered 503: `\\u\{1b\}\[31mred 'x' \\u\{202e\}y{50,120}`$/)
    expect(await answered(204, '')).toBe('WITNESS_REFUSED')
    expect(await answered(500, Buffer.alloc(1000, 0xff))).toBe('WITNESS_REFUSED')
  })
})
