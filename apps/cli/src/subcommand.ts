// Supports commands that have both an action and subcommands: `checkpoint <ledger>` and `checkpoint verify <file>`.
import type { Command, Option } from 'commander'
import { CliError, EXIT } from './exit.js'

/**
 * Keeps the options of such a command separate from those of its subcommands. Commander assigns a parent option
 * wherever the option appears, even after a subcommand name: `checkpoint cosign l --output x` would set the output of
 * `checkpoint`, and the file would never be written.
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
        `\`${early.long}\` comes before \`${child.name()}\``,
        `put options after the subcommand; write a ledger with this name as \`./${child.name()}\``,
      )
    })
  }
}
