import { MemoryWitnessStore } from '../src/memory-store.js'
import { describeStore } from './fixtures/store-contract.js'

describeStore('memory', () => {
  const store = new MemoryWitnessStore()
  return { store, open: () => store }
})
