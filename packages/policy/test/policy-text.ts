// A policy that has a little of everything, and what is wrong with one that is none.
import { PolicyFileError } from '../src/error.js'
import { parsePolicyFile } from '../src/parse.js'

export const YAML = `# a comment
sudoagent_policy: 1
id: files
version: 3
description: what the agent may do with files
rules:
  - id: reads
    server: files
    tool: [read_file, list_*]
    args:
      path: { root: /srv/data, glob: '**', resolve_symlinks: true }
      limit: { gt: 0, lte: 1e3 }
    effect: allow
    reason: reading
`

export function refusalOf(text: string): PolicyFileError {
  try {
    parsePolicyFile(text, 'p.yaml')
  } catch (error) {
    if (error instanceof PolicyFileError) return error
    throw error
  }
  throw new Error('it was taken for a policy')
}
