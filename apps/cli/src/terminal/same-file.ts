import { realpath, stat } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { CliError, EXIT } from '../exit.js'

/** What a store keeps beside its ledger: writing over the log of SQLite loses entries as surely as writing over the file. */
const BESIDE = ['', '-wal', '-shm', '-journal', '.lock', '.head', '.tree', '.cosigned']

/** Whether two paths name one file, through whatever links; for files that are not there yet, whether they would. */
export async function isSameFile(a: string, b: string): Promise<boolean> {
  const [statA, statB] = await Promise.all([a, b].map((path) => stat(path, { bigint: true }).catch(() => null)))
  if (statA && statB) return statA.dev === statB.dev && statA.ino === statB.ino
  const [placeA, placeB] = await Promise.all([a, b].map(placeOf))
  return placeA === placeB
}

/** The path with its folder's links resolved. */
async function placeOf(path: string): Promise<string> {
  const whole = resolve(path)
  const folder = await realpath(dirname(whole)).catch(() => dirname(whole))
  return join(folder, basename(whole))
}

/** The ledger file and those that belong to it, as far as they are there. */
export async function filesOf(ledger: string): Promise<readonly { readonly path: string; readonly bytes: number }[]> {
  const files = await Promise.all(
    BESIDE.map(async (suffix) => {
      const found = await stat(`${ledger}${suffix}`).catch(() => null)
      return found === null ? [] : [{ path: `${ledger}${suffix}`, bytes: found.size }]
    }),
  )
  return files.flat()
}

/** @throws CliError when writing to `target` would write over the ledger, or over what belongs to it */
export async function refuseLedgerFiles(target: string, ledger: string): Promise<void> {
  // A store that was opened through a link keeps its files beside the file that the link names.
  const real = await realpath(ledger).catch(() => ledger)
  for (const suffix of BESIDE) {
    if (!(await isSameFile(target, `${real}${suffix}`)) && !(await isSameFile(target, `${ledger}${suffix}`))) continue
    const what = suffix === '' ? 'the ledger itself' : 'part of the ledger'
    throw new CliError(
      EXIT.usage,
      `--output \`${target}\` is ${what}`,
      'name another file; a ledger is never written over',
    )
  }
}
