interface Drainable {
  on(event: 'drain' | 'close', listener: () => void): unknown
  off(event: 'drain' | 'close', listener: () => void): unknown
}

const waiting = new WeakMap<object, Promise<void>>()

/**
 * Resolves when a full stream can accept more data or is closed. Callers that wait for the same stream share one
 * promise and one set of listeners.
 */
export function drained(stream: Drainable): Promise<void> {
  const known = waiting.get(stream)
  if (known !== undefined) return known
  const wait = new Promise<void>((resolve) => {
    const done = (): void => {
      waiting.delete(stream)
      stream.off('drain', done)
      stream.off('close', done)
      resolve()
    }
    stream.on('drain', done)
    stream.on('close', done)
  })
  waiting.set(stream, wait)
  return wait
}
