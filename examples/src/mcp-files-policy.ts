// The policy of mcp-files.ts: files are read in one folder, written there when a person agrees, and never moved.
import { realpathSync } from 'node:fs'
import { basename, dirname, isAbsolute, join, resolve, sep } from 'node:path'
import type { PolicyResult } from '@sudoagent/core'
import type { PolicyModule } from '@sudoagent/policy'

const folder = realpathSync(process.env.NOTES ?? '.')

/** Where a path leads once links are followed; of a file that is not there yet, its folder must be. Null for what leads nowhere. */
function realPath(path: unknown): string | null {
  // A path is a path, not a URL: a server that decodes `%2e%2e` would open another file than was decided on.
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
  // Only what is named here runs.
  evaluate({ action, kwargs: { path } }) {
    switch (action) {
      case 'files/read_text_file':
        return isInside(path) ? { decision: 'allow', reason: 'a note' } : deny('outside of the notes')
      case 'files/write_file':
        return isInside(path) ? { decision: 'require_approval', reason: 'writes a note' } : deny('outside of the notes')
      default:
        return deny('not on the list')
    }
  },
  // What a client says for its person is not enough to write.
  clientMayApprove: () => false,
}
