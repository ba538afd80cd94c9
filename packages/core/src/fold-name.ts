/**
 * Folds a name for case-insensitive comparison: NFKC and case folding. Many servers bind `path`, `Path` and `PATH`
 * to one field.
 *
 * @example foldName('\uff30ath') === foldName('path')
 */
export function foldName(name: string): string {
  if (/^[a-z0-9_]*$/.test(name)) return name
  // Upper case first: it maps `ß`, `ſ` and both small sigmas to common letters. `İ` would keep a combining dot in
  // lower case.
  return name.normalize('NFKC').replaceAll('\u0130', 'i').toUpperCase().toLowerCase().normalize('NFKC')
}
