// How help looks where Commander's own form falls short: required options are marked, the top level says which subcommands a command has, and a
// narrow terminal gets each description below its term instead of unbroken lines.
import { type Command, Help, type HelpConfiguration, type Option } from 'commander'

/** Cells of a description below which it goes under its term, across the whole width. */
const DESCRIPTION_CELLS_MIN = 30
const INDENT = '  '
/** In front of a description that has a line of its own. */
const DEEPER = ' '.repeat(6)

const plain = new Help()

/** For `Command.configureHelp`, of the program and of all commands below it. */
export const HELP: HelpConfiguration = {
  showGlobalOptions: true,
  // Terminals of 40 columns are wrapped for, too.
  minWidthToWrap: 20,
  optionDescription: (option: Option) => `${option.mandatory ? 'required: ' : ''}${plain.optionDescription(option)}`,
  subcommandDescription: (command: Command) => {
    const below = command.commands.map((child) => child.name())
    const says = plain.subcommandDescription(command)
    return below.length === 0 ? says : `${says} (${below.join(', ')})`
  },
  // Each has options; without the word there is more room for what it does.
  subcommandTerm: (command: Command) => plain.subcommandTerm(command).replace(' [options]', ''),
  formatItem(this: Help, term, termWidth, description, helper) {
    const width = this.helpWidth ?? 80
    if (description === '' || width - termWidth - 2 * INDENT.length >= DESCRIPTION_CELLS_MIN)
      return plain.formatItem.call(this, term, termWidth, description, helper)
    const lines = this.boxWrap(description, Math.max(this.minWidthToWrap, width - DEEPER.length)).split('\n')
    return [INDENT + term, ...lines.map((line) => DEEPER + line)].join('\n')
  },
}

/**
 * Breaks what Commander does not: the sections behind the options, and usages. Commands stay whole, so that they can be copied.
 *
 * @param columns - of the terminal; undefined where there is none
 */
export function wrapHelp(text: string, columns: number | undefined): string {
  if (columns === undefined) return text
  return text
    .split('\n')
    .map((line) => (line.length <= columns || /^ *\$ /.test(line) ? line : wrapLine(line, columns)))
    .join('\n')
}

/** What follows goes on below the second column of a list, where the terminal has room for that. */
function wrapLine(line: string, columns: number): string {
  const second = /^ *\S+ {2,}(?=\S)/.exec(line)?.[0].length ?? Number.POSITIVE_INFINITY
  const blanks = /^ */.exec(line)?.[0].length ?? 0
  const hanging = ' '.repeat(second <= columns / 2 ? second : blanks + 2)
  const rows: string[] = []
  let row = line.slice(0, blanks)
  for (const word of line.slice(blanks).split(/(?<=\S)(?= )/)) {
    const isFull = row.length + word.length > columns && row.trim() !== ''
    if (isFull) rows.push(row)
    row = isFull ? hanging + word.trimStart() : row + word
  }
  return [...rows, row].join('\n')
}
