// Prints benchmark results: rows with a figure and its floor, as text and as JSON.
//
//   const rows = [row({ work: 'verify', unit: 'ms', floor: 1000, figure: 1500, atMost: 2 })]
//   report('verify', rows, 'verify.json')
import { writeFileSync } from 'node:fs'

/**
 * One measurement. The target applies to the ratio if there is a floor, otherwise to the figure itself.
 *
 * @param unit - of `floor` and `figure`: smaller times and larger rates are better
 * @param floor - the machine's own cost of the same work, measured in the same run; null if there is no floor
 * @param atMost - the target as an upper limit; `atLeast` is a lower limit; both are undefined if there is no target
 */
export function row({ work, unit, floor = null, figure, atMost, atLeast }) {
  const ratio = floor === null ? null : figure / floor
  const judged = ratio ?? figure
  const times = ratio === null ? ` ${unit}` : ' ×'
  const target = atMost !== undefined ? `≤ ${atMost}${times}` : atLeast !== undefined ? `≥ ${atLeast}${times}` : null
  const met = atMost !== undefined ? judged <= atMost : atLeast !== undefined ? judged >= atLeast : null
  return { work, floor, figure, unit, ratio, target, met }
}

/** Aligned text, at most 100 columns wide. */
export function asText(rows) {
  const cells = rows.map(({ work, floor, figure, unit, ratio, target, met }) => [
    work,
    floor === null ? '–' : `${short(floor)} ${unit}`,
    `${short(figure)} ${unit}`,
    ratio === null ? '–' : `${ratio < 100 ? ratio.toFixed(2) : Math.round(ratio)} ×`,
    target ?? '–',
    met === null ? '' : met ? 'met' : 'NOT MET',
  ])
  const all = [['work', 'floor', 'figure', 'ratio', 'target', ''], ...cells]
  const widths = all[0].map((_, column) => Math.max(...all.map((line) => line[column].length)))
  const pad = (cell, column) =>
    column === 0 || column === 5 ? cell.padEnd(widths[column]) : cell.padStart(widths[column])
  return all.map((line) => line.map(pad).join('  ').trimEnd()).join('\n')
}

const short = (value) => (value >= 100 ? Math.round(value).toString() : value.toPrecision(3))

/** Prints the rows, and writes them to `jsonFile` if it is set. */
export function report(title, rows, jsonFile) {
  console.log(`\n${title}\n${asText(rows)}`)
  if (jsonFile !== undefined) writeFileSync(jsonFile, `${JSON.stringify(rows, null, 2)}\n`)
}
