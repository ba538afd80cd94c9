// A policy that decides about calls, in a file that somebody named. (What witnesses know as a policy is in `policy-file.ts`.)
import { type LoadedPolicy, loadPolicy, PolicyFileError } from '@sudoagent/policy'
import { CliError, EXIT } from '../exit.js'

/** @throws CliError with the file, the line and the column: there is no policy in it */
export async function readCallPolicy(path: string): Promise<LoadedPolicy> {
  try {
    return await loadPolicy(path)
  } catch (error) {
    if (!(error instanceof PolicyFileError)) throw error
    throw new CliError(EXIT.failed, `${error.message} (${error.code})`, error.hint, error)
  }
}
