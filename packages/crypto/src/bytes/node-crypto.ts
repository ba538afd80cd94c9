import type * as NodeCrypto from 'node:crypto'

/**
 * `node:crypto` where the platform has it, else undefined.
 *
 * Looked up at run time so that the package holds no static `node:` import: a bundler for browsers needs no shim, and
 * the same files run there on noble's JavaScript.
 */
export const nodeCrypto: typeof NodeCrypto | undefined = globalThis.process?.getBuiltinModule?.('node:crypto')
