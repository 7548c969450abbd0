/**
 * Makes every text of an input survive UTF-8. A lone surrogate does not: the twin would remember one string live and
 * another one after a replay from the journal. Device text is hostile, so this is done at the door, before either.
 */
import type { DeviceInput, Input } from "#twin/input.ts"

/** The same object when nothing had to change, which is nearly always. */
export const wellFormed = <I extends DeviceInput | Input>(input: I): I => {
  switch (input.kind) {
    case "poll": {
      const { device, entities, texts } = input
      const fine = texts.every((row) => isFine(row.text) && isFine(row.entity)) && entities.every(isFine)
      if (fine && isFine(device)) break
      const mended = texts.map((row) => ({ ...row, entity: mend(row.entity), text: mend(row.text) }))
      return { ...input, device: mend(device), entities: entities.map(mend), texts: mended }
    }
    case "unreachable":
    case "trap":
    case "syslog":
    case "topology":
    case "quota":
    case "certificate":
    case "rules":
    case "silences":
    case "ack":
    case "incident":
    case "probed":
      return mendTree(input)
    case "tick":
      break
  }
  return input
}

const isFine = (text: string): boolean => text.isWellFormed()
const mend = <T extends string>(text: T): T => text.toWellFormed() as T

/** Texts of a small plain object, to any depth. Copies only what changes. */
const mendTree = <T>(value: T): T => {
  if (typeof value === "string") return mend(value) as T
  if (Array.isArray(value)) return value.every((item) => mendTree(item) === item) ? value : (value.map(mendTree) as T)
  if (typeof value !== "object" || value === null) return value
  const entries = Object.entries(value)
  if (entries.every(([, item]) => mendTree(item) === item)) return value
  return Object.fromEntries(entries.map(([key, item]) => [key, mendTree(item)])) as T
}
