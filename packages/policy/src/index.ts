export { POLICY_FILE_CODES, PolicyFileError, type PolicyFileErrorCode } from './error.js'
export { parsePolicyFile } from './file/parse.js'
export { type PolicyWarning, policyWarnings } from './file/warnings.js'
export { type LoadedPolicy, type LoadPolicyOptions, loadPolicy, type ModulePolicy, type PolicyModule } from './load.js'
export { type PathReadings, readPath } from './pattern/path.js'
export { realPathOnDisk } from './real-path.js'
export { type Call, splitAction } from './rule/call.js'
export {
  type ArgumentMatcher,
  type ArgumentTest,
  POLICY_FORMAT,
  type PolicyDocument,
  type PolicyRule,
  type ScalarValue,
} from './rule/document.js'
export type { RealPath } from './rule/path-test.js'
export { type Explanation, RulePolicy, type RulePolicyOptions, type RuleStep } from './rule/rule-policy.js'
