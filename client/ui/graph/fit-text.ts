/**
 * A name in less room than it asks for. What tells it from its neighbours stands at its end as often as at its beginning
 * (`São Paulo 2`, `São Paulo 3`), so a short last word stays and the middle goes. Pure: whoever draws brings the measure.
 */

/** Letters of a last word that is kept whole. */
const TAIL_MAX = 4

/** Null room gives nothing; the cut is told by an ellipsis. */
export const fitText = (text: string, width: number, measure: (text: string) => number): string => {
  if (width <= 4) return ""
  if (measure(text) <= width) return text
  const tail = tailOf(text)
  const head = [...(tail === "" ? text : text.slice(0, text.length - tail.length))]
  const cut = (letters: number): string => `${head.slice(0, letters).join("").trimEnd()}…${tail}`
  let [low, high] = [0, head.length]
  while (low < high) {
    const middle = Math.ceil((low + high) / 2)
    if (measure(cut(middle)) <= width) low = middle
    else high = middle - 1
  }
  if (low > 0) return cut(low)
  return tail === "" || measure(tail) > width ? "" : tail
}

const tailOf = (text: string): string => {
  const [, tail = ""] = /\S[\s_-]+(\S+)$/u.exec(text) ?? []
  return [...tail].length <= TAIL_MAX ? tail : ""
}
