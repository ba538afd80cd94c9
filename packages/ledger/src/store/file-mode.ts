// Who besides its owner can write to a ledger's file. Whoever can is able to take its last entries away, or to put an older copy in its place; a
// reader finds what changed entries, and a writer goes on from what it finds.
import type { StoreWarning } from '../port/reader.js'
import { GROUP_WRITES, OTHERS_WRITE, otherWritersOf } from '../private-file.js'

/**
 * What a reader says of a file that every user can write to or replace. A group is not mentioned: a copy often belongs to the group of its owner alone.
 */
export function writableWarnings(path: string): readonly StoreWarning[] {
  const found = writersOf(path, OTHERS_WRITE)
  return found === null ? [] : [{ code: 'STORE_WRITABLE_BY_OTHERS', ...found }]
}

const WARNED_MAX = 20

const warned = new Set<string>()

/** Warns once of each file that a writer opens and that its group or every user can write to or replace. */
export function warnOfOtherWriters(path: string): void {
  const found = writersOf(path, OTHERS_WRITE | GROUP_WRITES)
  if (found === null || warned.has(path) || warned.size >= WARNED_MAX) return
  warned.add(path)
  process.emitWarning(`ledger \`${path}\`: ${found.message}; ${found.hint}`, { code: 'SUDOAGENT_LEDGER_WRITABLE' })
}

/** Null where nobody else can write, or nobody knows. */
function writersOf(path: string, bits: number): { readonly message: string; readonly hint: string } | null {
  try {
    const others = otherWritersOf(path, bits)
    if (others === null) return null
    return others.can === 'write'
      ? {
          message: `other users can write to the file (mode ${others.mode})`,
          hint: 'chmod 600 keeps it to its owner',
        }
      : {
          message: `every user can replace the file (mode ${others.mode} of its folder)`,
          hint: 'chmod o-w on the folder keeps it to its owner',
        }
  } catch {
    return null
  }
}
