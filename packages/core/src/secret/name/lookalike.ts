/**
 * Replaces lookalikes, which are digits and letters from other alphabets that look like Latin letters: `pаssword` with
 * a Cyrillic а, `passw0rd`.
 */

const CONFUSABLE: Readonly<Record<string, string>> = {
  ...{
    а: 'a',
    в: 'b',
    с: 'c',
    ԁ: 'd',
    е: 'e',
    ё: 'e',
    һ: 'h',
    н: 'h',
    і: 'i',
    ї: 'i',
    ј: 'j',
    к: 'k',
    ӏ: 'l',
    м: 'm',
    о: 'o',
  },
  ...{ р: 'p', ԛ: 'q', г: 'r', ѕ: 's', т: 't', у: 'y', х: 'x', ԝ: 'w', ɡ: 'g', ı: 'i', ɑ: 'a', ⲟ: 'o' },
  ...{ α: 'a', ε: 'e', ι: 'i', κ: 'k', ν: 'v', ο: 'o', ρ: 'p', τ: 't', υ: 'u', χ: 'x', ω: 'w', σ: 'o' },
}

const LEET: Readonly<Record<string, string>> = { 0: 'o', 1: 'i', 3: 'e', 4: 'a', 5: 's', 7: 't', '@': 'a', $: 's' }

/** @returns the name with Latin letters instead of lookalikes */
export function foldLookalikes(name: string): string {
  const latin = /[^\0-\u024f]/.test(name)
    ? name.replace(/[^\0-\u024f]|ı/g, (letter) => CONFUSABLE[letter.toLowerCase()] ?? letter)
    : name
  // Digits are replaced only between letters: `auth0` and `base64` are ordinary names.
  return latin.replace(/(?<=[A-Za-z])[013457@$](?=[A-Za-z])/g, (digit) => LEET[digit] ?? digit)
}
