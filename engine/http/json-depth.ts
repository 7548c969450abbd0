/** How deep a JSON text nests, seen without parsing it: a 200,000-deep body must not reach a recursive reader. */
export const JSON_DEPTH_MAX = 32

/** True when brackets outside strings nest deeper than `max`. Broken JSON is not its business. */
export const isTooDeep = (text: string, max = JSON_DEPTH_MAX): boolean => {
  let depth = 0
  let inString = false
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (inString) {
      if (code === BACKSLASH) at++
      else if (code === QUOTE) inString = false
    } else if (code === QUOTE) inString = true
    else if (code === OPEN_OBJECT || code === OPEN_ARRAY) {
      depth += 1
      if (depth > max) return true
    } else if (code === CLOSE_OBJECT || code === CLOSE_ARRAY) depth -= 1
  }
  return false
}

const QUOTE = 0x22
const BACKSLASH = 0x5c
const OPEN_ARRAY = 0x5b
const CLOSE_ARRAY = 0x5d
const OPEN_OBJECT = 0x7b
const CLOSE_OBJECT = 0x7d
