import { describe, expect, it } from 'vitest'
import { DeadlineError, within } from '../../src/call/deadline.js'
import { rejection } from '../fixtures/boundary.js'

describe('within', () => {
  it('gives what came in time, at once or later', async () => {
    expect(await within(1_000, 'x', () => 1)).toBe(1)
    expect(await within(1_000, 'x', async () => 2)).toBe(2)
  })

  it('gives up on what does not come, and names it', async () => {
    const error = await rejection(within(10, 'the store', () => new Promise(() => {})))
    expect(error).toBeInstanceOf(DeadlineError)
    expect((error as Error).message).toContain('the store')
  })

  it('passes failures on, thrown or rejected', async () => {
    const own = new Error('own')
    expect(
      await rejection(
        within(10, 'x', () => {
          throw own
        }),
      ),
    ).toBe(own)
    expect(await rejection(within(10, 'x', () => Promise.reject(own)))).toBe(own)
  })

  it("a failure after the deadline is nobody's unhandled rejection", async () => {
    const late = new Promise((_, reject) => setTimeout(() => reject(new Error('late')), 20))
    expect(await rejection(within(5, 'x', () => late))).toBeInstanceOf(DeadlineError)
    // Vitest fails the run on an unhandled rejection. The pause leaves time for a late rejection.
    await new Promise((resolve) => setTimeout(resolve, 40))
  })
})
