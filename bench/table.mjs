// What a benchmark says: rows of a figure beside its floor, as text for people and as JSON for machines.
//
//   const rows = [row({ work: 'verify', unit: 'ms', floor: 1000, figure: 1500, atMost: 2 })]
//   report('verify', rows, 'verify.json')
import { writeFileSync } from 'node:fs'

/**
 * One measurement. The target is for the ratio where there is a floor, and for the figure itself where there is none.
 *
 * @param unit - of `floor` and `figure`: a time is better when it is small, a rate when it is large
 * @param floor - what the machine itself needs for the work, measured in the same run; null when there is no such thing
 * @param atMost - the target, as a limit from above; or `atLeast`, from below; neither where nothing is promised
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

/** Prints the rows, and writes them to a file when one is named. */
export function report(title, rows, jsonFile) {
  console.log(`\n${title}\n${asText(rows)}`)
  if (jsonFile !== undefined) writeFileSync(jsonFile, `${JSON.stringify(rows, null, 2)}\n`)
}
