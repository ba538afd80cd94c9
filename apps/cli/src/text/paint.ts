const STYLES = ['bold', 'cyan', 'dim', 'green', 'red', 'yellow'] as const

/** What is used of chalk: a call paints a text, a property adds to what it is painted with. */
export type Paint = ((text: string) => string) & { readonly [style in (typeof STYLES)[number]]: Paint }

/** Chalk with 16 colours, or with none. Its own guess is not asked: it knows one stream and no `NO_COLOR`. */
export async function painter(colour: boolean): Promise<Paint> {
  // Chalk is loaded where there are colours: without it, a short command in a script starts by a tenth of a `node -e 0` sooner.
  if (!colour) return plain()
  const { Chalk } = await import('chalk')
  return new Chalk({ level: 1 })
}

function plain(): Paint {
  const same = ((text: string) => text) as Paint
  for (const style of STYLES) Object.defineProperty(same, style, { value: same })
  return same
}
