/** `@sudoagent/ledger/inspect`: the metadata of a ledger, and single entries, unverified. */

export {
  type InspectedCheckpoint,
  type InspectedKey,
  type InspectedQuestion,
  type InspectedStop,
  type Inspection,
  inspect,
  type StatedSignature,
} from './read/inspect.js'
export { entryAt, type QuestionRecord } from './read/story.js'
