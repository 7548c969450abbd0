/**
 * A URL given by a person, made into one pinned address that the policy allows. The name is looked up once, every
 * address that it has must be allowed, and the request goes to the address that was checked: a name that changes its
 * mind between the check and the request (DNS rebinding) finds nobody who asks again.
 */
import { lookup as systemsLookup } from "node:dns/promises"
import { isIP } from "node:net"
import { literal } from "#engine/probes/address.ts"
import type { Literal } from "#engine/probes/address.ts"
import type { HttpAsk } from "#engine/probes/http.ts"
import type { TargetPolicy } from "#engine/probes/policy.ts"

/** All addresses of a name. Rejects when it has none. */
export type Lookup = (name: string) => Promise<readonly string[]>

const LOOKUP_MS = 3_000

/** As every program here finds names, hosts file included. */
export const systemLookup: Lookup = async (name) => {
  const late = Promise.withResolvers<never>()
  const deadline = setTimeout(() => late.reject(new Error("no answer")), LOOKUP_MS)
  try {
    const found = await Promise.race([systemsLookup(name, { all: true }), late.promise])
    return found.map(({ address }) => address)
  } finally {
    clearTimeout(deadline)
  }
}

export type PinnedUrl =
  | { readonly ok: true; readonly ask: Pick<HttpAsk, "to" | "port" | "tls" | "path" | "host"> }
  | { readonly ok: false; readonly why: string }

export const pinUrl = async (text: string, policy: TargetPolicy, lookup: Lookup): Promise<PinnedUrl> => {
  const url = URL.canParse(text) ? new URL(text) : null
  if (url === null || (url.protocol !== "http:" && url.protocol !== "https:")) return no("is no http or https URL")
  if (url.username !== "" || url.password !== "") return no("holds a user or password; a probe sends none")
  const tls = url.protocol === "https:"
  const port = url.port === "" ? (tls ? 443 : 80) : Number(url.port)
  const name = url.hostname.replace(/^\[|\]$/g, "")
  const pinned = await pinHost(name, policy, lookup)
  if (typeof pinned === "string") return no(pinned)
  const host = isIP(name) === 0 ? name : null
  return { ok: true, ask: { to: pinned, port, tls, path: url.pathname + url.search, host } }
}

/** An allowed address of a name or literal, or why there is none. */
export const pinHost = async (name: string, policy: TargetPolicy, lookup: Lookup): Promise<Literal | string> => {
  const texts = isIP(name) === 0 ? await lookup(name).catch(() => []) : [name]
  const found = texts.map((text) => ({ text, address: literal(text) }))
  const bad = found.find(({ address }) => address === null || !policy.allows(address))
  if (bad !== undefined) return `leads to ${bad.text}, which may not be probed`
  return found[0]?.address ?? "has no address"
}

const no = (why: string): PinnedUrl => ({ ok: false, why })
