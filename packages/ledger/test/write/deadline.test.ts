import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { withTimeout } from '../../src/write/deadline.js'

const never = new Promise<never>(() => {})
const late = (name: string) => () => new Error(name)
const failed = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'came',
    (error: Error) => error.message,
  )

describe('withTimeout', () => {
  beforeEach(() => {
    vi.useFakeTimers()
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  it('gives what comes, and passes a failure on', async () => {
    expect(await withTimeout(Promise.resolve(1), 1_000, late('x'))).toBe(1)
    expect(await failed(withTimeout(Promise.reject(new Error('own')), 1_000, late('x')))).toBe('own')
  })

  it('gives up each at its own time, though one timer serves them all', async () => {
    const ended: string[] = []
    const begin = (name: string, work: Promise<unknown> = never) =>
      void failed(withTimeout(work, 100, late(name))).then((how) => ended.push(how))
    begin('first')
    await vi.advanceTimersByTimeAsync(60)
    begin('second')
    begin('quick', Promise.resolve())
    await vi.advanceTimersByTimeAsync(39)
    expect(ended).toEqual(['came'])
    await vi.advanceTimersByTimeAsync(1)
    expect(ended).toEqual(['came', 'first'])
    await vi.advanceTimersByTimeAsync(59)
    expect(ended).toHaveLength(2)
    await vi.advanceTimersByTimeAsync(1)
    expect(ended).toEqual(['came', 'first', 'second'])
    // The timer fires at most once more. The next operation starts the timer again.
    await vi.advanceTimersByTimeAsync(1_000)
    begin('third')
    await vi.advanceTimersByTimeAsync(100)
    expect(ended).toEqual(['came', 'first', 'second', 'third'])
  })

  it('waits for each length by itself', async () => {
    const [short, long] = [failed(withTimeout(never, 10, late('short'))), failed(withTimeout(never, 20, late('long')))]
    await vi.advanceTimersByTimeAsync(10)
    expect(await short).toBe('short')
    await vi.advanceTimersByTimeAsync(10)
    expect(await long).toBe('long')
  })

  it('sets no timer for what comes while another one is running', async () => {
    await withTimeout(Promise.resolve(), 5_000, late('x'))
    const before = vi.getTimerCount()
    for (let n = 0; n < 100; n += 1) await withTimeout(Promise.resolve(), 5_000, late('x'))
    expect(vi.getTimerCount()).toBe(before)
  })

  it('swallows a failure that comes too late', async () => {
    const work = new Promise((_, reject) => setTimeout(() => reject(new Error('too late')), 20))
    const waiting = failed(withTimeout(work, 5, late('gave up')))
    await vi.advanceTimersByTimeAsync(5)
    expect(await waiting).toBe('gave up')
    await vi.advanceTimersByTimeAsync(50)
  })
})

it.each([
  [
    'as long as something is waited for',
    'withTimeout(new Promise(() => {}), 300, () => new Error("gave up"))',
    'gave up',
    250,
  ],
  ['and no longer', 'withTimeout(Promise.resolve(), 60_000, () => new Error())', 'came', 0],
])('keeps the process alive %s', (_, work, says, atLeastMs) => {
  const script = `import { withTimeout } from '@sudoagent/ledger/store'; ${work}.then(() => console.log('came'), ({ message }) => console.log(message))`
  const begin = performance.now()
  const { stdout, status } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    cwd: join(import.meta.dirname, '../..'),
    encoding: 'utf8',
    timeout: 30_000,
  })
  expect([status, stdout.trim()]).toEqual([0, says])
  expect(performance.now() - begin).toBeGreaterThan(atLeastMs)
})
