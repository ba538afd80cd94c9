const STYLES = ['bold', 'cyan', 'dim', 'green', 'red', 'yellow'] as const

/** The part of chalk's interface that is used: a call colours a string, a property adds a style. */
export type Paint = ((text: string) => string) & { readonly [style in (typeof STYLES)[number]]: Paint }

/**
 * Chalk with 16 colours or none. Chalk's own detection is not used, because it checks one stream and ignores
 * `NO_COLOR`.
 */
export async function painter(colour: boolean): Promise<Paint> {
  // Chalk is loaded only for colours: it would add a tenth of Node's own start-up time to a short command.
  if (!colour) return plain()
  const { Chalk } = await import('chalk')
  return new Chalk({ level: 1 })
}

function plain(): Paint {
  const same = ((text: string) => text) as Paint
  for (const style of STYLES) Object.defineProperty(same, style, { value: same })
  return same
}
