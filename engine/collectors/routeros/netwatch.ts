/**
 * What a router watches by itself (`/tool/netwatch`): hosts that it pings, or asks by TCP, HTTP or DNS, from where it stands.
 * Only public addresses count, and only how many of them answer: they show whether this place reaches the Internet, which no
 * probe from the engine's own place can. Hosts inside are other tools' business; their names and comments are not asked for.
 */
import { classOf } from "#engine/net/reach.ts"
import { literal } from "#engine/probes/address.ts"
import type { Row } from "#engine/collectors/routeros/reply.ts"
import { parseFlag } from "#engine/collectors/routeros/values.ts"
import type { Sentence } from "#engine/collectors/routeros/words.ts"

export const NETWATCH_WORDS: Sentence = ["/tool/netwatch/print", "=.proplist=host,status,disabled"]

export interface PublicTargets {
  readonly targets: number
  readonly up: number
}

/** A target that was not asked yet, or is switched off, counts nothing. */
export const readNetwatch = (rows: readonly Row[]): PublicTargets => {
  let targets = 0
  let up = 0
  for (const row of rows) {
    if (parseFlag(row.get("disabled")) === true || !isPublic(row.get("host") ?? "")) continue
    const status = row.get("status")
    if (status !== "up" && status !== "down") continue
    targets++
    if (status === "up") up++
  }
  return { targets, up }
}

const isPublic = (host: string): boolean => {
  const address = literal(host)
  return address !== null && classOf(address) === "public"
}
