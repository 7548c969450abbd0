/** How RouterOS writes values: durations, moments, versions. Every value of the API is text. */

/** `1w2d3h4m5s`; zero parts are left out. */
export const duration = (ms: number): string => {
  let left = Math.max(0, Math.floor(ms / 1000))
  let text = ""
  for (const [unit, seconds] of UNITS) {
    const count = Math.floor(left / seconds)
    left -= count * seconds
    if (count > 0) text += `${count}${unit}`
  }
  return text === "" ? "0s" : text
}
const UNITS = [
  ["w", 604_800],
  ["d", 86_400],
  ["h", 3600],
  ["m", 60],
  ["s", 1],
] as const

/** RouterOS 7.10 and later write ISO dates, earlier ones `apr/22/2022 07:54:55`. */
export const moment = (atMs: number, iso: boolean): string => {
  const at = new Date(atMs)
  const time = at.toISOString().slice(11, 19)
  if (iso) return `${at.toISOString().slice(0, 10)} ${time}`
  const month = MONTHS[at.getUTCMonth()]!
  return `${month}/${String(at.getUTCDate()).padStart(2, "0")}/${at.getUTCFullYear()} ${time}`
}
const MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]

export const bool = (value: boolean): string => (value ? "true" : "false")

/** Whether version text `7.18.2` is at least major.minor. */
export const atLeast = (version: string, major: number, minor: number): boolean => {
  const [x = 0, y = 0] = version.split(".").map(Number)
  return x > major || (x === major && y >= minor)
}

/** Row ids are hexadecimal and start with a star. */
export const rowId = (number: number): string => `*${number.toString(16).toUpperCase()}`
