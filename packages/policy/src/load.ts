// Loads a policy from a file, which contains rules in YAML or JSON, or is a module.
import { type FileHandle, open } from 'node:fs/promises'
import { extname, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { ApprovalRequest, Context, Policy, PolicyResult } from '@sudoagent/core'
import { type Hash, sha256Hex } from '@sudoagent/crypto'
import { encodeCanonical } from '@sudoagent/crypto/json'
import { PolicyFileError } from './error.js'
import { parsePolicyFile } from './file/parse.js'
import { FILE_BYTES_MAX, MODULE_BYTES_MAX } from './limits.js'
import { realPathOnDisk } from './real-path.js'
import type { RealPath } from './rule/path-test.js'
import { RulePolicy } from './rule/rule-policy.js'

/** The number of bytes that one read requests. */
const CHUNK_BYTES = 64 * 1024

/** The policy that a module exports as `policy` or `default`. */
export interface PolicyModule extends Policy {
  readonly policyId: string
  /** Whether an answer through the MCP client may approve the call; used by `sudoagent mcp guard --elicitation`. */
  clientMayApprove?(request: ApprovalRequest): boolean
}

/** A policy loaded from a module, with the id and the hash that the engine records. */
export interface ModulePolicy extends Policy {
  readonly kind: 'module'
  readonly policyId: string
  readonly policyHash: Hash
  evaluate(context: Context): PolicyResult | Promise<PolicyResult>
  /** The function that the module exports; see `PolicyModule`. */
  readonly clientMayApprove?: (request: ApprovalRequest) => boolean
}

export type LoadedPolicy = RulePolicy | ModulePolicy

export interface LoadPolicyOptions {
  /** Resolves symbolic links for `resolve_symlinks`. Default: this machine's file system. */
  readonly realPath?: RealPath
}

/**
 * Loads a policy for the engine.
 *
 * A file with the extension `.yaml`, `.yml` or `.json` contains rules. A file with the extension `.mjs` or `.js` is a
 * module that exports a `Policy` as `default` or `policy`. **Loading a module executes it.** If the policy does not set
 * `policyHash`, the hash is derived from the bytes of the module file; imported files are not covered.
 *
 * @throws PolicyFileError when the policy cannot be loaded
 * @example new SudoEngine({ policy: await loadPolicy('policy.yaml'), agentId: 'bot', ledger })
 */
export async function loadPolicy(
  path: string,
  { realPath = realPathOnDisk }: LoadPolicyOptions = {},
): Promise<LoadedPolicy> {
  const extension = extname(path).toLowerCase()
  if (['.yaml', '.yml', '.json'].includes(extension)) {
    const text = decode(await read(path, FILE_BYTES_MAX), path)
    return new RulePolicy(parsePolicyFile(text, path), { realPath })
  }
  if (['.mjs', '.js'].includes(extension)) return await loadModule(path)
  const hint = 'use a file with the extension `.yaml`, `.yml` or `.json`, or a module with `.mjs` or `.js`'
  throw new PolicyFileError(
    'POLICY_FILE_KIND_UNKNOWN',
    path,
    null,
    'the file extension is not supported for policies',
    hint,
  )
}

/** Reads a whole file. A file larger than `maxBytes` is rejected, because the hash must cover the whole file. */
async function read(path: string, maxBytes: number): Promise<Uint8Array> {
  let file: FileHandle | undefined
  try {
    file = await open(path, 'r')
    const chunks: Uint8Array[] = []
    for (let length = 0; length <= maxBytes; ) {
      const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(CHUNK_BYTES), 0, CHUNK_BYTES)
      if (bytesRead === 0) return Buffer.concat(chunks)
      chunks.push(buffer.subarray(0, bytesRead))
      length += bytesRead
    }
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown error'
    throw new PolicyFileError(
      'POLICY_FILE_UNREADABLE',
      path,
      null,
      `it cannot be read (${code})`,
      'check the path and the file permissions',
      error,
    )
  } finally {
    await file?.close().catch(() => {})
  }
  throw new PolicyFileError('POLICY_LIMIT', path, null, `it is larger than ${maxBytes} bytes`, 'use a smaller file')
}

function decode(bytes: Uint8Array, path: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch (error) {
    throw new PolicyFileError('POLICY_SYNTAX', path, null, 'it is not UTF-8 text', 'save it as UTF-8', error)
  }
}

async function loadModule(path: string): Promise<ModulePolicy> {
  const invalid = (problem: string, hint: string, cause?: unknown) =>
    new PolicyFileError('POLICY_MODULE_INVALID', path, null, problem, hint, cause)
  const sourceHash = sha256Hex(await read(path, MODULE_BYTES_MAX))
  let exported: { readonly default?: unknown; readonly policy?: unknown }
  try {
    // The hash in the URL makes Node load a changed file again, so that Node runs exactly the code that was hashed.
    exported = await import(`${pathToFileURL(resolve(path)).href}?sha256=${sourceHash}`)
  } catch (error) {
    const says = error instanceof Error ? (error.message.split('\n')[0] ?? '') : 'it threw'
    throw invalid(`the module cannot be loaded: ${says}`, 'run it with `node` for details', error)
  }
  if (sha256Hex(await read(path, MODULE_BYTES_MAX)) !== sourceHash)
    throw invalid('it changed while it was being loaded', 'try again')
  const policy = [exported.default, exported.policy].find(isPolicy)
  if (policy === undefined) {
    throw invalid(
      'it does not export a policy',
      'export an object with `policyId` and `evaluate`, as `default` or as `policy`',
    )
  }
  const { policyId } = policy as Partial<PolicyModule>
  if (policyId === undefined)
    throw invalid('the policy has no `policyId`', 'add a `policyId`: the ledger identifies the policy by its id')
  const { version, policyHash, clientMayApprove } = policy as PolicyModule
  const hash = (policyHash ??
    sha256Hex(
      encodeCanonical({ policy_id: policyId, policy_version: version ?? null, module_sha256: sourceHash }),
    )) as Hash
  return Object.freeze({
    kind: 'module',
    policyId,
    ...(version === undefined ? {} : { version }),
    policyHash: hash,
    evaluate: (context: Context) => policy.evaluate(context),
    ...(clientMayApprove === undefined ? {} : { clientMayApprove: clientMayApprove.bind(policy) }),
  })
}

function isPolicy(value: unknown): value is Policy {
  return typeof value === 'object' && value !== null && typeof (value as Policy).evaluate === 'function'
}
