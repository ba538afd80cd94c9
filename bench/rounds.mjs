// How figures are taken on a machine that is never quiet: what is compared takes turns, and the middle of its rounds counts. A machine that
// is slow for a while is then slow for both.

export const median = (list) => list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)]

/**
 * Runs the works in turn, round after round. Where there are several, the first one is thrown away: code is compiled in it, and files come
 * into the cache.
 *
 * @param works - by name; each is told the number of the round, and may answer with its figure in place of the milliseconds it took
 * @returns by the same names, the median
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

/** Does `work(n)` for n from 0 up, so many at a time, as long as `goOn(n)`. */
export async function during(goOn, atATime, work) {
  let next = 0
  const lane = async () => {
    while (goOn(next)) await work(next++)
  }
  await Promise.all(Array.from({ length: atATime }, lane))
}

/** Does it `count` times. */
export const inFlight = (count, atATime, work) => during((n) => n < count, atATime, work)
