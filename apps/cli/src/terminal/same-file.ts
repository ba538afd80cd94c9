import { realpath, stat } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { CliError, EXIT } from '../exit.js'

/**
 * Suffixes of the files that belong to a ledger. Overwriting SQLite's WAL loses entries, just as overwriting the
 * ledger does.
 */
const LEDGER_SUFFIXES = ['', '-wal', '-shm', '-journal', '.lock', '.head', '.tree', '.cosigned']

/**
 * Whether two paths name the same file, even through links. For new files: whether the paths would name the same
 * file.
 */
export async function isSameFile(a: string, b: string): Promise<boolean> {
  const [statA, statB] = await Promise.all([a, b].map((path) => stat(path, { bigint: true }).catch(() => null)))
  if (statA && statB) return statA.dev === statB.dev && statA.ino === statB.ino
  const [placeA, placeB] = await Promise.all([a, b].map(placeOf))
  return placeA === placeB
}

/** Returns the path with the links in its folder resolved. */
async function placeOf(path: string): Promise<string> {
  const whole = resolve(path)
  const folder = await realpath(dirname(whole)).catch(() => dirname(whole))
  return join(folder, basename(whole))
}

/** Returns the existing files of a ledger with their sizes. */
export async function filesOf(ledger: string): Promise<readonly { readonly path: string; readonly bytes: number }[]> {
  const files = await Promise.all(
    LEDGER_SUFFIXES.map(async (suffix) => {
      const found = await stat(`${ledger}${suffix}`).catch(() => null)
      return found === null ? [] : [{ path: `${ledger}${suffix}`, bytes: found.size }]
    }),
  )
  return files.flat()
}

/**
 * @param option - the option that names the target
 * @throws CliError if `target` is the ledger, or an approval store, or a file that belongs to it
 */
export async function requireNotOfLedger(target: string, ledger: string, option = '--output'): Promise<void> {
  // A store opened through a link keeps its files next to the target of the link.
  const real = await realpath(ledger).catch(() => ledger)
  for (const suffix of LEDGER_SUFFIXES) {
    if (!(await isSameFile(target, `${real}${suffix}`)) && !(await isSameFile(target, `${ledger}${suffix}`))) continue
    const what = suffix === '' ? 'the ledger itself' : 'part of the ledger'
    throw new CliError(
      EXIT.usage,
      `${option} \`${target}\` is ${what}`,
      'name another file; a ledger is never overwritten',
    )
  }
}
