// Genkit: a middleware guards every tool call of a `generate`.
import { guardToolCalls } from '@sudoagent/adapters/genkit'
import { generateMiddleware, genkit, z } from 'genkit'
import { logger } from 'genkit/logging'
import { mockModel } from 'genkit/testing'
import { CALLS, check, engine, payBack } from './refunds.js'

logger.setLogLevel('error')
const ai = genkit({})
const toolRequests = CALLS.map((input, index) => ({ name: 'refund', input, ref: `call_${index}` }))
const model = mockModel(ai, { respond: [{ toolRequests }, 'done'] })

// Genkit includes its own zod.
const inputSchema = z.object({ amount: z.number() })
const refund = ai.defineTool({ name: 'refund', description: 'Pays money back', inputSchema }, (input) => payBack(input))
const guard = generateMiddleware({ name: 'sudoagent' }, guardToolCalls(engine))
await ai.generate({ model, prompt: 'Refund orders 1 and 2', tools: [refund], use: [guard()] })

const parts = model.requests[1]?.messages.flatMap(({ content }) => content) ?? []
const results = parts.flatMap(({ toolResponse }) => toolResponse ?? [])
// The results are sorted, because Genkit lists them in the order in which the calls ended.
await check(results.sort((a, b) => ((a.ref ?? '') < (b.ref ?? '') ? -1 : 1)))
