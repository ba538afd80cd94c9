/**
 * Folds a name for case-insensitive comparison with NFKC and case folding. Many servers bind `path`, `Path` and `PATH`
 * to the same field.
 *
 * @example foldName('\uff30ath') === foldName('path')
 */
export function foldName(name: string): string {
  if (/^[a-z0-9_]*$/.test(name)) return name
  // The conversion to upper case comes first, because it maps `ß`, `ſ` and both small sigmas to common letters. `İ`
  // is replaced separately, because its lower case has a combining dot.
  return name.normalize('NFKC').replaceAll('\u0130', 'i').toUpperCase().toLowerCase().normalize('NFKC')
}
