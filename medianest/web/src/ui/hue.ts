/** The colour of a title, in degrees, by its number. The golden angle: neighbours differ. */
export function hueOf(seed: number): number {
  return Math.round((seed * 137.508) % 360);
}

/** The colour of what has a name only. */
export function hueOfWord(word: string): number {
  return hueOf([...word].reduce((sum, letter) => (sum * 31 + (letter.codePointAt(0) ?? 0)) % 10_007, 7));
}
