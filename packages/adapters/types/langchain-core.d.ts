// The part of `@langchain/core` that the LangChain adapter uses, so that this package builds without it. The tests in
// `compat/` compile the built package against the real one, and run it with that.
declare module '@langchain/core/messages' {
  export class ToolMessage {
    constructor(fields: { content: string; name: string; tool_call_id: string; status: 'success' | 'error' })
    static isInstance(message: unknown): message is ToolMessage
    readonly status?: 'success' | 'error'
  }
}
