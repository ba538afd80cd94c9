/**
 * The requirement of a question: which approvals a call needs. It is fixed when the question is asked, so that neither
 * the policy nor a registry can change it while people answer:
 *
 *     {"assurance":"asserted","factors":[{"approvals":1,"group":null}],"registry_hash":null,"rule":"refunds"}
 *
 * A requirement names a registry of approvers exactly if its approvals are signed. The shape is closed: an additional
 * member would change the hash that approvers sign, and a reader would not see it.
 */
import { type Hash, isHash, sha256Hex } from '../bytes/hash.js'
import { encodeCanonical } from '../json.js'
import { closedMisfit, type Fields, oneOf, orNull, own, shapeOf, text } from './fields.js'

export const FACTORS_MAX = 8
/** Maximum number of approvals that all factors of a requirement need together. */
export const APPROVALS_MAX = 16

/** A number of approvals by members of one group; null for any approver. */
export interface Factor {
  readonly group: string | null
  readonly approvals: number
}

export interface Requirement {
  /** The id of the policy rule that requires approval; null if the policy does not name one. */
  readonly rule: string | null
  /** All factors must be met. */
  readonly factors: readonly Factor[]
  /** `asserted`: the approver's name is taken as given. `signed`: each approval needs a signature. */
  readonly assurance: 'asserted' | 'signed'
  /** The registry of approvers that was in force; null without one. */
  readonly registry_hash: Hash | null
}

const REQUIREMENT = shapeOf({
  rule: orNull(text(256, 1)),
  factors: (value) => Array.isArray(value) && value.length >= 1 && value.length <= FACTORS_MAX,
  assurance: oneOf('asserted', 'signed'),
  registry_hash: orNull(isHash),
})
const FACTOR = shapeOf({
  group: orNull((value) => typeof value === 'string' && /^[a-z0-9._@+-]{1,128}$/.test(value)),
  approvals: (value) => Number.isSafeInteger(value) && (value as number) >= 1 && (value as number) <= APPROVALS_MAX,
})

/**
 * The requirement of a policy without groups: one approval by anybody, as the approver's own word.
 *
 * @param rule - the id of the policy rule; null if the policy does not name one
 */
export const assertedRequirement = (rule: string | null): Requirement => ({
  rule,
  factors: [{ group: null, approvals: 1 }],
  assurance: 'asserted',
  registry_hash: null,
})

/**
 * Checks a requirement.
 *
 * @returns the path of the first invalid member; null if the requirement is valid
 * @example requirementMisfit({ ...assertedRequirement(null), factors: [] }) // 'requirement.factors'
 */
export function requirementMisfit(value: unknown): string | null {
  const path = 'requirement'
  const shallow = closedMisfit(value, REQUIREMENT, path)
  if (shallow !== null) return shallow
  const [factors, assurance, registry] = ['factors', 'assurance', 'registry_hash'].map((name) =>
    own(value as Fields, name),
  ) as [readonly Factor[], unknown, unknown]
  const factor = factors.map((item, n) => closedMisfit(item, FACTOR, `${path}.factors[${n}]`)).find((at) => at !== null)
  if (factor !== undefined) return factor
  if (factors.reduce((sum, { approvals }) => sum + approvals, 0) > APPROVALS_MAX) return `${path}.factors`
  if ((assurance === 'signed') !== (registry !== null)) return `${path}.registry_hash`
  const [first] = factors
  const isAnybody = factors.length === 1 && first?.group === null && first.approvals === 1
  return assurance === 'asserted' && !isAnybody ? `${path}.factors` : null
}

/** Computes `requirement_hash`: SHA-256 of the canonical requirement. */
export const hashRequirement = (requirement: Requirement): Hash => sha256Hex(encodeCanonical(requirement))

/**
 * A requirement as rows for people: a name, and an unescaped value.
 *
 * @example requirementRows(assertedRequirement('refunds')) // [['rule', 'refunds'], ['needs', '1 approval']]
 */
export function requirementRows({ rule, factors, assurance, registry_hash }: Requirement): [string, string][] {
  const counts = factors.map(({ group, approvals }) => `${approvals} of ${group ?? 'any approver'}`)
  const rows: [string, string][] = rule === null ? [] : [['rule', rule]]
  rows.push(['needs', assurance === 'asserted' ? '1 approval' : `signed approvals: ${counts.join(', ')}`])
  if (registry_hash !== null) rows.push(['registry', registry_hash])
  return rows
}
