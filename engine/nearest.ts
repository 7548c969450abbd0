/**
 * The known word that a mistyped one most likely meant: for settings, import fields and commands.
 * Optimal string alignment distance (a swap of neighbours counts once), bounded so that far words suggest nothing.
 */

/** Null when nothing is near: more than a third of the word, and more than 3 letters, differ. Case is ignored. */
export const nearest = (word: string, known: readonly string[]): string | null => {
  if (word.length > 100) return null
  let best: string | null = null
  let bestDistance = Math.min(4, Math.floor(word.length / 3) + 1)
  for (const candidate of known) {
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase())
    if (distance < bestDistance) {
      best = candidate
      bestDistance = distance
    }
  }
  return best
}

const editDistance = (a: string, b: string): number => {
  let before: number[] = []
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1]
      let least = Math.min(previous[j]! + 1, row[j - 1]! + 1, previous[j - 1]! + (same ? 0 : 1))
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) least = Math.min(least, before[j - 2]! + 1)
      row.push(least)
    }
    before = previous
    previous = row
  }
  return previous[b.length]!
}
