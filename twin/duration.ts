/** How long something lasted, in words for an operator: `4 s`, `3 min 20 s`, `5 h 2 min`, `12 d 4 h`. */
export const durationText = (ms: number): string => {
  const seconds = Math.max(0, Math.round(ms / 1000))
  if (seconds < 60) return `${seconds} s`
  if (seconds < 3600) return pair(seconds, 60, "min", 1, "s")
  if (seconds < 86_400) return pair(seconds, 3600, "h", 60, "min")
  return pair(seconds, 86_400, "d", 3600, "h")
}

const pair = (seconds: number, big: number, bigUnit: string, small: number, smallUnit: string): string => {
  const rest = Math.floor((seconds % big) / small)
  const head = `${Math.floor(seconds / big)} ${bigUnit}`
  return rest === 0 ? head : `${head} ${rest} ${smallUnit}`
}
