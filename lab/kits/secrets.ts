/**
 * The passwords of a user's lab. Drawn once per output folder and kept there for its owner's eyes, so that scripts and
 * import document, generated on different days, agree.
 */
import { randomBytes } from "node:crypto"
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"

export interface KitSecrets {
  readonly apiPassword: string
  readonly snmpAuthPassword: string
  readonly snmpPrivPassword: string
  /** Of the one PPPoE test subscriber. */
  readonly subscriberPassword: string
}
const NAMES = ["apiPassword", "snmpAuthPassword", "snmpPrivPassword", "subscriberPassword"] as const

/** Letters and digits that need no quoting in any of the files; 24 of them are 142 bits. */
const draw = (): string => randomBytes(18).toString("base64url").replaceAll("-", "x").replaceAll("_", "y")

/** Reads the folder's `secrets.json`, or makes it. A damaged one is said, never overwritten. */
export const folderSecrets = (folder: string): KitSecrets => {
  const file = join(folder, "secrets.json")
  let text: string
  try {
    text = readFileSync(file, "utf8")
  } catch {
    const made = Object.fromEntries(NAMES.map((name) => [name, draw()])) as unknown as KitSecrets
    writeFileSync(file, `${JSON.stringify(made, null, 2)}\n`, { mode: 0o600, flag: "wx" })
    return made
  }
  const kept = parse(text)
  if (kept === null) throw new Error(`${file} does not hold the kit's passwords; move it away to draw new ones`)
  return kept
}

const parse = (text: string): KitSecrets | null => {
  try {
    const kept = JSON.parse(text) as Record<string, unknown>
    const whole = NAMES.every((name) => typeof kept[name] === "string" && /^[A-Za-z0-9]{12,64}$/.test(kept[name]))
    return whole ? (kept as unknown as KitSecrets) : null
  } catch {
    return null
  }
}
