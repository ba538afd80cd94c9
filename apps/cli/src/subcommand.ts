// Commands that do something themselves and have subcommands: `checkpoint <ledger>`, and `checkpoint verify <file>`.
import type { Command, Option } from 'commander'
import { CliError, EXIT } from './exit.js'

/**
 * Keeps the options of such a command and those of its subcommands apart. Commander takes the options of a command wherever they stand, also
 * behind the name of a subcommand: of `checkpoint cosign l --output x` the file would be `checkpoint`'s, and never be written.
 */
export function keepOptionsApart(program: Command): void {
  program.hook('preSubcommand', (_, command) => {
    const [, next] = program.args
    const isForChild = command.commands.some((child) => child.name() === next)
    if (isForChild) (command.options as Option[]).length = 0
  })
  for (const command of program.commands) {
    command.hook('preSubcommand', (parent, child) => {
      const early = parent.options.find((option) => parent.getOptionValueSource(option.attributeName()) === 'cli')
      if (early === undefined) return
      throw new CliError(
        EXIT.usage,
        `\`${early.long}\` stands before \`${child.name()}\``,
        `options stand behind the command; a ledger with this name is \`./${child.name()}\``,
      )
    })
  }
}
