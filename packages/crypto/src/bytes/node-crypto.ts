import type * as NodeCrypto from 'node:crypto'

/**
 * The module `node:crypto` if available, otherwise undefined.
 *
 * The module is looked up at run time, so the package has no static `node:` import. Browser bundlers need no shim,
 * and in a browser the same files run on the noble JavaScript libraries.
 */
export const nodeCrypto: typeof NodeCrypto | undefined = globalThis.process?.getBuiltinModule?.('node:crypto')
