// Measures reliably on a busy machine: floor and figure alternate, so that a temporary slowdown affects both, and the
// median is reported.

export const median = (list) => list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)]

/**
 * Runs the functions in turn, round after round. If there are several rounds, an additional first round is discarded,
 * because it compiles code and fills caches.
 *
 * @param works - functions by name; each receives the round number, and can return a figure instead of the elapsed
 * milliseconds
 * @returns the median of each function, by the same names
 */
export async function alternate(rounds, works) {
  const taken = Object.fromEntries(Object.keys(works).map((name) => [name, []]))
  for (let round = rounds > 1 ? 0 : 1; round <= rounds; round += 1) {
    for (const [name, work] of Object.entries(works)) {
      const start = performance.now()
      const answer = await work(round)
      const figure = answer ?? performance.now() - start
      if (round > 0) taken[name].push(figure)
    }
  }
  return Object.fromEntries(Object.entries(taken).map(([name, list]) => [name, median(list)]))
}

/** Runs `work(n)` for n from 0 while `goOn(n)` is true, with `atATime` calls in flight. */
export async function during(goOn, atATime, work) {
  let next = 0
  const lane = async () => {
    while (goOn(next)) await work(next++)
  }
  await Promise.all(Array.from({ length: atATime }, lane))
}

/** Runs `work` `count` times, with `atATime` calls in flight. */
export const inFlight = (count, atATime, work) => during((n) => n < count, atATime, work)
