// Options that several commands share.
import { type Command, Option } from 'commander'
import { CliError, EXIT } from './exit.js'

/** Collects the values of a repeatable option. */
export function repeatable(value: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), value]
}

/** `--json` for commands that also have `--format`, so that every command accepts `--json`. */
export function jsonOption(): Option {
  return new Option('--json', 'the same as --format json').conflicts('format')
}

/** Returns the format selected by `--format` or `--json`. */
export function formatOf<Format extends string>(format: Format | undefined, json = false): Format | 'json' | undefined {
  return json ? 'json' : format
}

export function addOutputOptions(command: Command, formats: readonly string[], otherwise: string): Command {
  return command
    .addOption(
      new Option('--format <format>', `default: by the extension of the output file, otherwise ${otherwise}`).choices(
        formats,
      ),
    )
    .addOption(jsonOption())
    .option('--output <file>', 'write to this file, which appears only once it is complete; `-` is standard output')
}

export function addTimeOptions(command: Command): Command {
  return command
    .option('--start <time>', 'recorded at this UTC time or later: 2026-11-22, or 2026-11-22T20:18:29Z')
    .option('--end <time>', 'recorded at this UTC time or earlier; a date includes the whole day')
}

/**
 * Normalises a typed hash: the ledger writes hex in lower case, other programs may use upper case. @throws
 * CliError with exit code 2 if the text is not a hash
 */
export function readHash(option: string, text: string): string {
  const hash = text.toLowerCase()
  if (/^[0-9a-f]{64}$/.test(hash)) return hash
  throw new CliError(EXIT.usage, `${option} \`${text}\` is not a hash`, 'give all 64 hex digits')
}
