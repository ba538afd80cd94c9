// Warns about ledger files that users other than the owner can write to. Such a user can remove the last entries or
// restore an older copy. A verifier detects changed entries, but a writer appends to whatever the file contains.
import type { StoreWarning } from '../port/reader.js'
import { GROUP_WRITES, OTHERS_WRITE, otherWritersOf } from '../private-file.js'

/**
 * Returns a reader's warnings about a file that every user can write to or replace. Group permissions are ignored,
 * since the group of a copied file often has only one member.
 */
export function writableWarnings(path: string): readonly StoreWarning[] {
  const found = writersOf(path, OTHERS_WRITE)
  return found === null ? [] : [{ code: 'STORE_WRITABLE_BY_OTHERS', ...found }]
}

const WARNED_MAX = 20

const warned = new Set<string>()

/** Warns once per file if a writer opens a file that its group or every user can write to or replace. */
export function warnOfOtherWriters(path: string): void {
  const found = writersOf(path, OTHERS_WRITE | GROUP_WRITES)
  if (found === null || warned.has(path) || warned.size >= WARNED_MAX) return
  warned.add(path)
  process.emitWarning(`ledger \`${path}\`: ${found.message}; ${found.hint}`, { code: 'SUDOAGENT_LEDGER_WRITABLE' })
}

/** Null if other users cannot write to the file, or if that is unknown. */
function writersOf(path: string, bits: number): { readonly message: string; readonly hint: string } | null {
  try {
    const others = otherWritersOf(path, bits)
    if (others === null) return null
    return others.can === 'write'
      ? {
          message: `other users can write to the file (mode ${others.mode})`,
          hint: 'run `chmod 600` on the file, so that only its owner can write to it',
        }
      : {
          message: `every user can replace the file (mode ${others.mode} of its folder)`,
          hint: 'run `chmod o-w` on the folder, so that other users cannot replace the file',
        }
  } catch {
    return null
  }
}
