/**
 * Genkit: guards every tool call in a `generate` with middleware.
 *
 * @example
 * const guard = generateMiddleware({ name: 'sudoagent' }, guardToolCalls(engine))
 * await ai.generate({ prompt, tools: [refund], use: [guard()] })
 *
 * The action is the tool's name; the input, as the model wrote it, becomes the call's named arguments. A denial is
 * returned as the tool's response, because an error would end the `generate`. Genkit does not pass an abort signal to
 * tools; this middleware passes the signal of the `generate` step to the engine and the tool. Put the guard last in
 * `use`, so that no other middleware changes a call after the decision. The authority of a call comes from
 * `context.sudoagent`, if the guard is given `() => ai.currentContext()`.
 */
import type { Engine } from '@sudoagent/core'
import { denialText } from './denial-text.js'
import { authorityIn, type GuardOptions, guardedCall, settled } from './guarded-call.js'

// This file imports nothing from `genkit`. It declares the members of messages and options that it reads.
interface RequestPart {
  readonly toolRequest: { readonly name: string; readonly ref?: string | undefined; readonly input?: unknown }
}
interface ResponsePart {
  readonly toolResponse: { readonly name: string; readonly ref?: string | undefined; readonly output?: unknown }
}
interface RunOptions {
  readonly abortSignal?: AbortSignal
  readonly context?: unknown
}
type Next<I, C, O> = (input: I, ctx: C) => Promise<O>

/**
 * Returns the function for `generateMiddleware`, which creates the hooks for one `generate`.
 *
 * @param contextOf - returns Genkit's current context, which a middleware does not get: `() => ai.currentContext()`
 */
export function guardToolCalls(engine: Engine, options?: Omit<GuardOptions, 'action'>, contextOf?: () => unknown) {
  return () => {
    let abortSignal: AbortSignal | undefined
    return {
      generate<I, C extends RunOptions, O>(envelope: I, ctx: C, next: Next<I, C, O>): Promise<O> {
        abortSignal = ctx.abortSignal
        return next(envelope, ctx)
      },
      async tool<P extends RequestPart, C extends RunOptions, R extends ResponsePart>(
        part: P,
        ctx: C,
        next: Next<P, C, R | undefined>,
      ) {
        const { name, ref, input } = part.toolRequest
        const signal = ctx.abortSignal ?? abortSignal
        const run = async (decided: unknown) => {
          const response = await next(
            { ...part, toolRequest: { ...part.toolRequest, input: decided } },
            signal === undefined ? ctx : { ...ctx, abortSignal: signal },
          )
          if (response?.toolResponse === undefined) return response
          const output = await settled(await response.toolResponse.output, signal)
          if (output === response.toolResponse.output) return response
          return { ...response, toolResponse: { ...response.toolResponse, output } }
        }
        const authority = authorityIn(ctx.context ?? contextOf?.())
        const call = { tool: name, input, callId: ref, signal, authority }
        const ended = await guardedCall(engine, call, options, run)
        if (ended.status === 'ran') return ended.output
        return { toolResponse: { name, ...(ref === undefined ? {} : { ref }), output: denialText(ended) } }
      },
    }
  }
}
