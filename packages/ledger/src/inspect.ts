/** `@sudoagent/ledger/inspect`: the metadata of a ledger, unverified. */

export {
  type InspectedCheckpoint,
  type InspectedKey,
  type InspectedStop,
  type Inspection,
  inspect,
  type StatedSignature,
} from './read/inspect.js'
