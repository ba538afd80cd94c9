// Explains why better-sqlite3, a native module, cannot be loaded. A package manager that does not run build scripts
// (`--ignore-scripts`, or pnpm 10 without approval) installs the module without its binary, and a binary works only
// with the Node version for which it was built. If the binary is missing or was built for a different version,
// opening the first database fails with a list of paths.

/** The hint with the command that builds the module. */
export const NATIVE_MODULE_HINT =
  'with the Node that runs this program, run `npm rebuild better-sqlite3` (pnpm: `pnpm approve-builds`, then `pnpm rebuild better-sqlite3`)'

/**
 * @param error - the error of `new Database`
 * @returns one line that explains why the native module cannot be loaded; null for any other error
 */
export function nativeModuleProblem(error: unknown): string | null {
  if (!(error instanceof Error)) return null
  const code = 'code' in error ? error.code : undefined
  const says = (reason: string): string => `the native module of better-sqlite3 cannot be loaded: ${reason}`
  if (/Could not locate the bindings file|Cannot find module .*(?:better[-_]sqlite3|bindings)/.test(error.message))
    return says('it was installed without being built')
  if (code !== 'ERR_DLOPEN_FAILED') return null
  return says(
    /NODE_MODULE_VERSION/.test(error.message)
      ? `it was built for a version of Node other than ${process.version}`
      : 'it was built for a different system',
  )
}
