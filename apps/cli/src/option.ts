// Options that several commands share.
import { type Command, Option } from 'commander'
import { CliError, EXIT } from './exit.js'

/** Collects an option that may be given more than once. */
export function repeatable(value: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), value]
}

/** `--json` for commands with formats, so that one option asks every command for JSON. */
export function jsonOption(): Option {
  return new Option('--json', 'the same as --format json').conflicts('format')
}

/** The format that `--format` or `--json` asks for. */
export function formatOf<Format extends string>(format: Format | undefined, json = false): Format | 'json' | undefined {
  return json ? 'json' : format
}

export function addOutputOptions(command: Command, formats: readonly string[], otherwise: string): Command {
  return command
    .addOption(
      new Option('--format <format>', `by default what the name of the output file says, else ${otherwise}`).choices(
        formats,
      ),
    )
    .addOption(jsonOption())
    .option('--output <file>', 'write to a file, which appears only when it is whole; `-` is standard output')
}

export function addTimeOptions(command: Command): Command {
  return command
    .option('--start <time>', 'recorded at this UTC time or later: 2026-11-22, or 2026-11-22T20:18:29Z')
    .option('--end <time>', 'recorded at this UTC time or earlier; a date means all of that day')
}

/** A hash as a person types it: the ledger writes them in lower case, another program may show them in upper case. */
export function readHash(option: string, text: string): string {
  const hash = text.toLowerCase()
  if (/^[0-9a-f]{64}$/.test(hash)) return hash
  throw new CliError(EXIT.usage, `${option} \`${text}\` is no hash`, 'a hash has 64 hex digits; it must be given whole')
}
