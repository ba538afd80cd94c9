// Verifies an Ed25519 signature with node:crypto the requested number of times.
import { generateKeyPairSync, sign, verify } from 'node:crypto'
import { parentPort, workerData } from 'node:worker_threads'

// The length of an entry's signed text: a hash.
const message = Buffer.alloc(64, 'a')
const { publicKey, privateKey } = generateKeyPairSync('ed25519')
const signature = sign(null, message, privateKey)
parentPort.on('message', () => {
  for (let n = 0; n < workerData; n += 1) if (!verify(null, message, publicKey, signature)) throw new Error('no')
  parentPort.postMessage('done')
})
parentPort.postMessage('ready')
