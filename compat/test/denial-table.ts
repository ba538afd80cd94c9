// Generates the tables in docs/adapters.md from the scenario results.
import { aiSdk6, aiSdk7 } from './framework/ai.js'
import { claudeAgentSdk } from './framework/claude-agent-sdk.js'
import { genkitFramework } from './framework/genkit.js'
import { langchainAgent, langchainTool } from './framework/langchain.js'
import { llamaindex } from './framework/llamaindex.js'
import { mastra, mastraV0 } from './framework/mastra.js'
import { mcpLowLevel, mcpServer } from './framework/mcp-server.js'
import { openaiAgents } from './framework/openai-agents.js'
import { type Framework, play, SCENARIOS } from './scenario.js'

const FRAMEWORKS: readonly Framework[] = [
  aiSdk6,
  aiSdk7,
  langchainAgent,
  langchainTool,
  openaiAgents,
  mastra,
  mastraV0,
  genkitFramework,
  llamaindex,
  claudeAgentSdk,
  mcpServer,
  mcpLowLevel,
]

/** Returns the text that the framework's model sees in one scenario. */
async function shownIn(framework: Framework, name: string): Promise<string> {
  const scenario = SCENARIOS.find((candidate) => candidate.name === name)
  if (scenario === undefined) throw new Error(`there is no scenario \`${name}\``)
  const { shown } = await play(framework, scenario)
  if (shown === null) return 'nothing: the run ends with the error'
  return `\`${shown[0]?.replaceAll('|', '\\|')}\``
}

function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  return [line(header), `|${'---|'.repeat(header.length)}`, ...rows.map(line)].join('\n')
}

/** Returns the generated part of the page. */
export async function denialTables(): Promise<string> {
  const one = async (name: string): Promise<string[][]> => {
    const rows: string[][] = []
    for (const framework of FRAMEWORKS) rows.push([framework.name, await shownIn(framework, name)])
    return rows
  }
  const texts = SCENARIOS.flatMap(({ name, text, runs }) => (text === null || runs ? [] : [[name, text]]))
  return [
    '### The same denial in each framework',
    table(['framework', 'in the next request to the model'], await one('denied')),
    '### Denial texts',
    table(['what happens', 'text'], texts),
    '### Tool errors',
    table(['framework', 'in the next request to the model'], await one('tool throws')),
  ].join('\n\n')
}
