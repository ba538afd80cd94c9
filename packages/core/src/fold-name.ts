/**
 * A name as programs compare it that do not regard case: NFKC and case folding. Many servers bind `path`, `Path` and `PATH` to one field.
 *
 * @example foldName('\uff30ath') === foldName('path')
 */
export function foldName(name: string): string {
  if (/^[a-z0-9_]*$/.test(name)) return name
  // Upper case first: it takes `ß`, `ſ` and both small sigmas to what they share. `İ` has a dot of its own in lower case.
  return name.normalize('NFKC').replaceAll('\u0130', 'i').toUpperCase().toLowerCase().normalize('NFKC')
}
