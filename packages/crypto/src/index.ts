export { type Hash, isHash, sha256, sha256Hex } from './bytes/hash.js'
export { CryptoError, type CryptoErrorCode, type ErrorDetails, SudoAgentError } from './error.js'
export {
  encryptPrivateKey,
  generatePrivateKey,
  type KeyId,
  type PrivateKey,
  type PublicKey,
  parsePrivateKey,
  parsePublicKey,
} from './key/key.js'
export {
  createSigner,
  createVerifier,
  type SignatureProvider,
  type Signer,
  signAside,
  type Verifier,
} from './key/signature.js'
