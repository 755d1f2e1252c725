/** The colour of a title, in degrees, by its number. The golden angle: neighbours differ. */
export function hueOf(seed: number): number {
  return Math.round((seed * 137.508) % 360);
}
