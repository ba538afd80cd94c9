// Extends Commander's help: marks required options, lists the subcommands of each command at the top level, and on
// a narrow terminal prints each description below its term.
import { type Command, Help, type HelpConfiguration, type Option } from 'commander'

/**
 * Minimum width of the description column, in cells; on narrower terminals, the description is printed below its
 * term.
 */
const DESCRIPTION_CELLS_MIN = 30
const INDENT = '  '
/** Indentation of a description on its own line. */
const DEEPER = ' '.repeat(6)

const plain = new Help()

/** The configuration for `Command.configureHelp`; subcommands inherit it. */
export const HELP: HelpConfiguration = {
  showGlobalOptions: true,
  // Wraps on terminals as narrow as 40 columns.
  minWidthToWrap: 20,
  optionDescription: (option: Option) => `${option.mandatory ? 'required: ' : ''}${plain.optionDescription(option)}`,
  subcommandDescription: (command: Command) => {
    const below = command.commands.map((child) => child.name())
    const says = plain.subcommandDescription(command)
    return below.length === 0 ? says : `${says} (${below.join(', ')})`
  },
  // Every command has options; omitting `[options]` leaves more room for the description.
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
 * Wraps the sections after the options and the usage lines, which Commander leaves unwrapped. Example commands stay
 * on one line, so that they can be copied.
 *
 * @param columns - width of the terminal; undefined without a terminal
 */
export function wrapHelp(text: string, columns: number | undefined): string {
  if (columns === undefined) return text
  return text
    .split('\n')
    .map((line) => (line.length <= columns || /^ *\$ /.test(line) ? line : wrapLine(line, columns)))
    .join('\n')
}

/** Continuation lines start at the second column of a list, if the terminal is wide enough. */
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
