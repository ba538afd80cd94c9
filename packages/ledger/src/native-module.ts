// better-sqlite3 is a native module. Package managers that run no build scripts (pnpm 10 until they are approved, `--ignore-scripts`) install it
// without its binary, and a binary is for one version of Node: then the first database that is opened throws a list of paths.

/** What to do about it. */
export const NATIVE_MODULE_HINT =
  'run `npm rebuild better-sqlite3`, with pnpm `pnpm approve-builds` and `pnpm rebuild better-sqlite3`, with the Node that runs this program'

/**
 * @param error - what `new Database` threw
 * @returns in one line why the native module cannot be loaded; null for any other error
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
      ? `it was built for another version of Node than ${process.version}`
      : 'it was built for another system',
  )
}
