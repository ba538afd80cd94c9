// The policy of mcp-files.ts: allows reads in one folder, requires approval for writes there, and denies moves.
import { realpathSync } from 'node:fs'
import { basename, dirname, isAbsolute, join, resolve, sep } from 'node:path'
import type { PolicyResult } from '@sudoagent/core'
import type { PolicyModule } from '@sudoagent/policy'

const folder = realpathSync(process.env.NOTES ?? '.')

/** Resolves links in a path; the folder of a new file must exist. Returns null if the path cannot be resolved. */
function realPath(path: unknown): string | null {
  // A path is not a URL: a server that decodes `%2e%2e` would open a different file than the policy checked.
  if (typeof path !== 'string' || !isAbsolute(path) || path.includes('%') || path.includes('\0')) return null
  try {
    return realpathSync(path)
  } catch {
    try {
      return join(realpathSync(dirname(resolve(path))), basename(path))
    } catch {
      return null
    }
  }
}

const isInside = (path: unknown): boolean => realPath(path)?.startsWith(folder + sep) ?? false

const deny = (reason: string): PolicyResult => ({ decision: 'deny', reason })

export const policy: PolicyModule = {
  policyId: 'notes',
  version: '1',
  // Only the listed actions are allowed.
  evaluate({ action, kwargs: { path } }) {
    switch (action) {
      case 'files/read_text_file':
        return isInside(path) ? { decision: 'allow', reason: 'a note' } : deny('outside the notes folder')
      case 'files/write_file':
        return isInside(path)
          ? { decision: 'require_approval', reason: 'writes a note' }
          : deny('outside the notes folder')
      default:
        return deny('not on the list')
    }
  },
  // An approval from the client alone is not enough for a write.
  clientMayApprove: () => false,
}
