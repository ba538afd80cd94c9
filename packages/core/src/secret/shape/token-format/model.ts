/**
 * Lists the token formats of language model providers and tools. Columns: issuer, prefix, alphabet, minimum length
 * after the prefix, source, condition.
 */
import { BETTERLEAKS, GITHUB, GITLEAKS, KINGFISHER, NOT_FOUND, type TokenFormatRow, TRUFFLEHOG } from './source.js'

export const MODEL_FORMATS: readonly TokenFormatRow[] = [
  ['OpenAI', 'sk-', 'url', 3, GITHUB, 'library'],
  ['OpenAI project', 'sk-proj-', 'url', 3, GITLEAKS],
  ['OpenAI service account', 'sk-svcacct-', 'url', 3, GITLEAKS],
  ['OpenAI admin', 'sk-admin-', 'url', 3, GITLEAKS],
  ['OpenAI session', 'sess-', 'alnum', 40, NOT_FOUND],
  ['Anthropic API', 'sk-ant-api03-', 'url', 3, GITLEAKS],
  ['Anthropic admin', 'sk-ant-admin01-', 'url', 3, GITLEAKS],
  ['Anthropic OAuth', 'sk-ant-oat01-', 'url', 3, NOT_FOUND],
  ['OpenRouter', 'sk-or-v1-', 'alnum', 3, KINGFISHER],
  ['xAI', 'xai-', 'word', 20, TRUFFLEHOG, 'digit'],
  ['Perplexity', 'pplx-', 'alnum', 20, GITLEAKS, 'digit'],
  ['Groq', 'gsk_', 'alnum', 20, BETTERLEAKS],
  ['Hugging Face user', 'hf_', 'alnum', 20, GITLEAKS],
  ['Hugging Face organisation', 'api_org_', 'alnum', 20, GITLEAKS],
  ['Replicate', 'r8_', 'alnum', 20, BETTERLEAKS, 'digit'],
  ['Pinecone', 'pcsk_', 'word', 20, KINGFISHER],
  ['Fireworks AI', 'fw_', 'alnum', 20, NOT_FOUND, 'digit'],
  ['Cerebras', 'csk-', 'alnum', 20, BETTERLEAKS, 'digit'],
  ['Tavily', 'tvly-', 'url', 12, KINGFISHER],
  ['Firecrawl', 'fc-', 'hex', 24, KINGFISHER, 'digit'],
  ['LangSmith service key', 'lsv2_sk_', 'word', 12, TRUFFLEHOG],
  ['LangSmith personal token', 'lsv2_pt_', 'word', 12, TRUFFLEHOG],
  ['Langfuse secret', 'sk-lf-', 'dash', 8, TRUFFLEHOG],
  ['Langfuse public', 'pk-lf-', 'dash', 8, TRUFFLEHOG],
  ['ElevenLabs', 'sk_', 'hex', 40, TRUFFLEHOG],
  ['NVIDIA', 'nvapi-', 'url', 20, BETTERLEAKS],
  ['Voyage AI', 'pa-', 'url', 36, KINGFISHER, 'digit'],
  ['Voyage AI', 'al-', 'url', 36, KINGFISHER, 'digit'],
  ['Devin user', 'apk_user_', 'b64', 40, BETTERLEAKS],
  ['Devin service user', 'cog_', 'lower', 40, BETTERLEAKS],
  ['E2B', 'e2b_', 'hex', 20, KINGFISHER],
  ['Modal id', 'ak-', 'alnum', 20, KINGFISHER, 'digit'],
  ['Modal secret', 'as-', 'alnum', 20, KINGFISHER, 'digit'],
  ['Jina AI', 'jina_', 'url', 24, KINGFISHER],
  ['Mem0', 'm0-', 'url', 24, KINGFISHER, 'digit'],
  ['Together AI', 'tgp_v1_', 'url', 20, BETTERLEAKS],
]
