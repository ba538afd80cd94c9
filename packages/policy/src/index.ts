export { type Call, splitAction } from './call.js'
export {
  type ArgumentMatcher,
  type ArgumentTest,
  POLICY_FORMAT,
  type PolicyDocument,
  type PolicyRule,
  type ScalarValue,
} from './document.js'
export { POLICY_FILE_CODES, PolicyFileError, type PolicyFileErrorCode } from './error.js'
export { type LoadedPolicy, type LoadPolicyOptions, loadPolicy, type ModulePolicy } from './load.js'
export { parsePolicyFile } from './parse.js'
export { type PathReadings, readPath } from './path.js'
export type { RealPath } from './path-test.js'
export { realPathOnDisk } from './real-path.js'
export { type Explanation, RulePolicy, type RulePolicyOptions, type RuleStep } from './rule-policy.js'
export { type PolicyWarning, policyWarnings } from './warnings.js'
