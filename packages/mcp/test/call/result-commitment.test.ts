// Tests the commitments of guarded calls: to the arguments, and to the result that the client gets.
import { createHash, createHmac } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { parseExact, stringifyExact } from '../../src/wire/exact-json.js'
import { type Json, Rig, type RigOptions } from '../support/rig.js'

const KEY = Uint8Array.from({ length: 32 }, (_, n) => n)
const KEY_ID = createHash('sha256').update(KEY).digest('hex').slice(0, 16)
const hmac = (text: string): string => createHmac('sha256', KEY).update(text).digest('hex')

/** A guard whose server gives this answer to calls. */
async function rigWith(text: string, options: RigOptions = { commitmentKey: KEY }): Promise<Rig> {
  const rig = await Rig.open(options)
  rig.serve = ({ method }) => (method === 'tools/call' ? (parseExact(text, 64) as object) : undefined)
  return rig
}

describe('the result of a call', () => {
  it.each([
    [
      'success',
      '{"content":[{"type":"text","text":"é"}],"n":1.50}',
      '{"content":[{"text":"é","type":"text"}],"n":1.5}',
    ],
    ['error', '{"isError":true,"content":[]}', '{"content":[],"isError":true}'],
  ])('is bound by its canonical form: %s', async (status, text, canonical) => {
    const rig = await rigWith(text)
    await rig.callTool('read', { path: 'a' })
    const { outcome, request_id: id } = await rig.first('outcome')
    expect(outcome).toMatchObject({ status })
    expect(outcome.result).toEqual({
      profile: 'jcs',
      bytes: Buffer.byteLength(canonical),
      key_id: KEY_ID,
      hmac: hmac(`{"request_id":"${id}","result":${canonical}}`),
    })
  })

  it('is bound by its exact text if it has no canonical form', async () => {
    const text = '{"content":[],"structuredContent":{"id":9007199254740993,"f":1.0,"s":"\\ud800"}}'
    const rig = await rigWith(text)
    await rig.callTool('read')
    const sent = rig.client.got.find(({ id, result }) => id === 2 && result !== undefined)
    expect(stringifyExact(sent.result)).toBe(text)
    const { outcome, request_id: id } = await rig.first('outcome')
    expect(outcome.result).toEqual({
      profile: 'bytes',
      bytes: Buffer.byteLength(text),
      key_id: KEY_ID,
      hmac: hmac(`${id}\n${text}`),
    })
  })

  it('does not exist for an error of the protocol, or without a server', async () => {
    const rig = await rigWith('{"error":{"code":-32602,"message":"bad"}}')
    await rig.callTool('read')
    expect((await rig.first('outcome')).outcome).not.toHaveProperty('result')

    const gone = await Rig.open({ commitmentKey: KEY })
    gone.serve = ({ method }) => {
      if (method === 'tools/call') void gone.server.close()
      return method === 'tools/call' ? { error: {} } : undefined
    }
    gone.send('tools/call', { name: 'read', arguments: {} })
    await gone.session.closed
    expect((await gone.first('outcome')).outcome).toMatchObject({ error_type: 'SERVER_ENDED' })
    expect((await gone.first('outcome')).outcome).not.toHaveProperty('result')
  })

  it('is not bound without a key', async () => {
    const rig = await rigWith('{"content":[]}', {})
    await rig.callTool('read')
    expect((await rig.first('outcome')).outcome).not.toHaveProperty('result')
    expect(await rig.first('decision')).not.toHaveProperty('commitment')
  })
})

describe('the arguments of a call', () => {
  const of = async (tool: string, args: string): Promise<Json> => {
    const rig = await rigWith('{"content":[]}')
    await rig.callTool(tool, parseExact(args, 64) as object)
    return await rig.first('decision')
  }

  it.each(['read', 'drop'])('are bound before redaction: %s', async (tool) => {
    const entry = await of(tool, '{"password":"hunter2hunter2","n":1.0}')
    const parameters = '{"args":[],"kwargs":{"n":1,"password":"hunter2hunter2"}}'
    expect(entry.commitment).toEqual({
      key_id: KEY_ID,
      hmac: hmac(`{"parameters":${parameters},"request_id":"${entry.request_id}"}`),
    })
  })

  it.each(['{"n":9007199254740993}', '{"n":0.1000000000000000055}', '{"path":"a","PATH":"b"}'])(
    'are not bound if they cannot be recorded as themselves: %s',
    async (args) => {
      expect(await of('read', args)).not.toHaveProperty('commitment')
    },
  )
})
