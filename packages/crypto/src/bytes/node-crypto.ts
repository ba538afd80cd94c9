import type * as NodeCrypto from 'node:crypto'

/**
 * `node:crypto` if the platform has it, otherwise undefined.
 *
 * It is looked up at run time, so that the package has no static `node:` import: bundlers for browsers need no
 * shim, and the same files run there with noble's JavaScript.
 */
export const nodeCrypto: typeof NodeCrypto | undefined = globalThis.process?.getBuiltinModule?.('node:crypto')
