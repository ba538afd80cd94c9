// Tests the message IDs, limits and back-pressure of a peer.
import { describe, expect, it } from 'vitest'
import { REQUESTS_MAX } from '../../src/limits.js'
import { Rig, textOf } from '../support/rig.js'

/** Starts a session with a server that accepts calls without answering them. */
async function mute(): Promise<Rig> {
  const rig = await Rig.open()
  const usual = rig.server.answer
  rig.server.answer = (message) => (message.method === 'tools/call' ? undefined : usual(message))
  return rig
}

describe('ids', () => {
  it('of the client are its own: text, zero, negative', async () => {
    const rig = await Rig.open()
    for (const id of ['x', 0, -1, '0', ''])
      rig.client.say({ id, method: 'tools/call', params: { name: 'read', arguments: {} } })
    for (const id of ['x', 0, -1, '0', '']) expect(textOf(await rig.answerTo(id))).toBe('ran read')
    const ids = rig.served('tools/call').map((message) => message.id)
    expect(new Set(ids).size).toBe(5)
  })

  it('0 can be cancelled, too', async () => {
    const rig = await mute()
    rig.client.say({ id: 0, method: 'tools/call', params: { name: 'read', arguments: {} } })
    await rig.server.heard(({ method }) => method === 'tools/call')
    rig.client.say({ method: 'notifications/cancelled', params: { requestId: 0, reason: 'r' } })
    await rig.server.heard(({ method }) => method === 'notifications/cancelled')
  })

  it('twice at once: the second request is dropped, and runs nothing', async () => {
    const rig = await mute()
    rig.client.say({ id: 'same', method: 'tools/call', params: { name: 'read', arguments: { n: 1 } } })
    const { id } = await rig.server.heard(({ method }) => method === 'tools/call')
    rig.client.say({ id: 'same', method: 'tools/call', params: { name: 'read', arguments: { n: 2 } } })
    await rig.ask('ping')
    expect(rig.served('tools/call')).toHaveLength(1)
    rig.server.say({ id, result: { content: [{ type: 'text', text: 'one' }] } })
    expect(textOf(await rig.answerTo('same'))).toBe('one')
    expect(rig.notes.join()).toContain('the id of an open request')
  })
})

describe('bounds', () => {
  it('a client with too many open requests is refused, until there is room', async () => {
    const rig = await mute()
    for (let n = 0; n < REQUESTS_MAX; n += 1) rig.send('tools/call', { name: 'read', arguments: { n } })
    await expect.poll(() => rig.served('tools/call').length).toBe(REQUESTS_MAX)
    expect((await rig.ask('ping')).error.message).toContain('too many requests')
    for (const { id } of rig.served('tools/call')) rig.server.say({ id, result: { content: [] } })
    await expect.poll(() => rig.ask('ping')).toEqual({})
  })

  it('so is a server', async () => {
    const rig = await Rig.open({ capabilities: { sampling: {} } })
    for (let n = 0; n <= REQUESTS_MAX; n += 1)
      rig.server.say({ id: `s${n}`, method: 'sampling/createMessage', params: {} })
    const refused = await rig.server.heard(({ id, error }) => id === `s${REQUESTS_MAX}` && error)
    expect(refused.error.message).toContain('too many requests')
    expect(rig.client.got.filter(({ method }) => method === 'sampling/createMessage')).toHaveLength(REQUESTS_MAX)
  })

  it('a client that does not read holds the server back, and lets it go on afterwards', async () => {
    const rig = await Rig.open()
    const pace: string[] = []
    Object.assign(rig.server, { pause: () => pace.push('pause'), resume: () => pace.push('resume') })
    let read = (): void => {}
    const reading = new Promise<void>((resolve) => {
      read = resolve
    })
    rig.client.send = () => reading
    for (let n = 0; n < 40; n += 1) rig.server.say({ method: 'notifications/resources/updated', params: { n } })
    expect(pace).toEqual(['pause'])
    read()
    await expect.poll(() => pace).toEqual(['pause', 'resume'])
  })

  it('progress of a client for the server’s request, and for no other', async () => {
    const rig = await Rig.open({ capabilities: { sampling: {} } })
    rig.server.say({ id: 's', method: 'sampling/createMessage', params: { _meta: { progressToken: 9 } } })
    for (const progressToken of [9, 8, '9'])
      rig.client.say({ method: 'notifications/progress', params: { progressToken, progress: 1 } })
    expect(rig.served('notifications/progress').map(({ params }) => params.progressToken)).toEqual([9])
  })

  it('a server that cancels its own request is heard by the client, under the client’s id', async () => {
    const rig = await Rig.open({ capabilities: { sampling: {} } })
    rig.server.say({ id: 's', method: 'sampling/createMessage', params: {} })
    const { id } = await rig.client.heard(({ method }) => method === 'sampling/createMessage')
    rig.server.say({ method: 'notifications/cancelled', params: { requestId: 's', reason: 'no need' } })
    const cancelled = await rig.client.heard(({ method }) => method === 'notifications/cancelled')
    expect(cancelled.params).toEqual({ requestId: id, reason: 'no need' })
  })
})
