/**
 * Query words of the API (help.mikrotik.com, "API", Queries): `?name` has it, `?-name` has it not, `?name=x`, `?<name=x`,
 * `?>name=x`, and `?#` with a stack of results on which `!`, `&` and `|` work. What is left on the stack must all be true.
 */
export type ApiRow = Readonly<Record<string, string>>

/** Null when a word is not understood. */
export const parseQuery = (words: readonly string[]): ((row: ApiRow) => boolean) | null => {
  const steps = words.map(parseStep)
  if (steps.includes(null)) return null
  return (row) => {
    const stack: boolean[] = []
    for (const step of steps) step!(row, stack)
    return stack.every(Boolean)
  }
}

type Step = (row: ApiRow, stack: boolean[]) => void

const parseStep = (word: string): Step | null => {
  const text = word.slice(1)
  if (text.startsWith("#")) return parseOperations(text.slice(1))
  if (text.startsWith("-")) return (row, stack) => stack.push(!(text.slice(1) in row))
  const comparison = /^([<>=]?)([^=]+)=(.*)$/s.exec(text)
  if (comparison === null) return (row, stack) => stack.push(text in row)
  const [, operator, name, value] = comparison as unknown as [string, string, string, string]
  return (row, stack) => stack.push(name in row && compares(row[name]!, operator, value))
}

const compares = (have: string, operator: string, want: string): boolean => {
  if (operator === "" || operator === "=") return have === want
  const [x, y] = [Number(have), Number(want)]
  const order = Number.isNaN(x) || Number.isNaN(y) ? (have < want ? -1 : have > want ? 1 : 0) : x - y
  return operator === "<" ? order < 0 : order > 0
}

const parseOperations = (text: string): Step | null => {
  if (!/^[!&|]+$/.test(text)) return null
  return (_, stack) => {
    for (const operation of text) {
      const top = stack.pop() ?? false
      if (operation === "!") stack.push(!top)
      else {
        const below = stack.pop() ?? false
        stack.push(operation === "&" ? below && top : below || top)
      }
    }
  }
}
