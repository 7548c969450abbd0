/**
 * One probe that a person asked for: its words checked, its target looked up once, held against the policy and pinned,
 * its result as data and as lines. What devices answered in it is theirs: whoever shows it escapes it.
 */
import type { Literal } from "#engine/probes/address.ts"
import { dnsProbe } from "#engine/probes/dns.ts"
import { httpProbe } from "#engine/probes/http.ts"
import { BURST_MAX, pingBurst } from "#engine/probes/ping-burst.ts"
import { DNS_TYPES } from "#engine/probes/plan.ts"
import { ANYWHERE, onlyThese } from "#engine/probes/policy.ts"
import type { TargetPolicy } from "#engine/probes/policy.ts"
import { tcpProbe } from "#engine/probes/tcp.ts"
import { HOPS_MAX, traceroute } from "#engine/probes/traceroute.ts"
import { pinHost, pinUrl, systemLookup } from "#engine/probes/url.ts"
import type { Lookup } from "#engine/probes/url.ts"

export interface ProbeWords {
  readonly kind: "ping" | "tcp" | "http" | "dns" | "traceroute"
  /** Address or name; for http a URL, for dns the name server. */
  readonly target: string
  readonly count?: number
  readonly port?: number
  readonly hops?: number
  /** Seconds for the whole probe. */
  readonly timeout?: number
  readonly name?: string
  readonly type?: string
  /** Ranges joined by commas. */
  readonly allow?: string
}

export interface Answer {
  readonly answered: boolean
  /** For machines. */
  readonly result: object
  /** For people. */
  readonly lines: readonly string[]
}

/** The words make no probe, or one that the policy forbids; the message says which and why. */
export class WrongProbe extends Error {}

/** Octets of a page that are read. */
const BODY_MAX = 65_536
const TIMEOUT_S = 5
const TRACE_TIMEOUT_S = 60
const COUNT = 5

/** Rejects with WrongProbe only. */
export const askProbe = async (words: ProbeWords, lookup: Lookup = systemLookup): Promise<Answer> => {
  const policy = policyOf(words.allow)
  if (words.kind === "http") return askHttp(words, policy, lookup)
  const to = await pinHost(words.target, policy, lookup)
  if (typeof to === "string") throw new WrongProbe(`${JSON.stringify(words.target)} ${to}`)
  switch (words.kind) {
    case "ping":
      return askPing(words, to)
    case "tcp":
      return askTcp(words, to)
    case "dns":
      return askDns(words, to)
    case "traceroute":
      return askTrace(words, to)
  }
}

const policyOf = (allow: string | undefined): TargetPolicy => {
  if (allow === undefined) return ANYWHERE
  try {
    return onlyThese([], allow.split(","))
  } catch (cause) {
    throw new WrongProbe((cause as RangeError).message)
  }
}

const askPing = async (words: ProbeWords, to: Literal): Promise<Answer> => {
  const count = Math.min(BURST_MAX, words.count ?? COUNT)
  const burst = await pingBurst(to, count)
  const { figures } = burst
  const lost = burst.rttsMs.filter((rttMs) => rttMs === null).length
  const times = figures?.rttMs == null ? "" : `, mean ${ms(figures.rttMs)}, jitter ${ms(figures.jitterMs)}`
  return {
    answered: figures !== null && lost < count,
    result: { kind: "ping", address: to.text, ...burst },
    lines: [burst.error ?? `${to.text}: ${count} sent, ${lost} lost (${figures?.lossPct.toFixed(0)} %)${times}`],
  }
}

const askTcp = async (words: ProbeWords, to: Literal): Promise<Answer> => {
  if (words.port === undefined) throw new WrongProbe("tcp needs --port")
  const result = await tcpProbe(to, words.port, deadlineMsOf(words))
  const line = result.up ? `open, connected in ${ms(result.connectMs)}` : result.error
  return {
    answered: result.up,
    result: { kind: "tcp", address: to.text, port: words.port, ...result },
    lines: [`${to.text} port ${words.port}: ${line}`],
  }
}

const askDns = async (words: ProbeWords, to: Literal): Promise<Answer> => {
  const { name, port = 53 } = words
  if (name === undefined) throw new WrongProbe("dns needs --name")
  const type = DNS_TYPES.find((one) => one === (words.type ?? "A").toUpperCase())
  if (type === undefined) throw new WrongProbe(`--type must be one of ${DNS_TYPES.join(", ")}`)
  const result = await dnsProbe({ server: to, port, name, type, deadlineMs: deadlineMsOf(words) })
  const line = result.up ? `${result.answers.join(", ")} in ${ms(result.latencyMs)}` : result.error
  return {
    answered: result.up,
    result: { kind: "dns", address: to.text, port, name, type, ...result },
    lines: [`${name} ${type} at ${to.text}: ${line}`],
  }
}

const askHttp = async (words: ProbeWords, policy: TargetPolicy, lookup: Lookup): Promise<Answer> => {
  const pinned = await pinUrl(words.target, policy, lookup)
  if (!pinned.ok) throw new WrongProbe(`${JSON.stringify(words.target)} ${pinned.why}`)
  const { to } = pinned.ask
  const result = await httpProbe({ ...pinned.ask, deadlineMs: deadlineMsOf(words), bodyMax: BODY_MAX })
  const { status, latencyMs, location, tls } = result
  const lines = [
    status === null
      ? `${to.text}: ${result.error}`
      : `${to.text}: ${status} in ${ms(latencyMs)}, ${result.truncated ? "more than " : ""}${result.bodyBytes} bytes`,
  ]
  if (status !== null && result.error !== null) lines.push(`  body: ${result.error}`)
  if (location !== null) lines.push(`  redirects to ${location} (not followed)`)
  if (tls !== null) {
    const until = tls.validToMs === null ? "?" : new Date(tls.validToMs).toISOString().slice(0, 10)
    lines.push(`  ${tls.protocol} ${tls.cipher}, certificate of ${tls.subject ?? "?"} until ${until}`)
    lines.push(`  ${tls.trusted ? "trusted" : `not trusted: ${tls.problem}`}`)
  }
  return { answered: status !== null, result: { kind: "http", address: to.text, ...result }, lines }
}

const askTrace = async (words: ProbeWords, to: Literal): Promise<Answer> => {
  const deadlineMs = (words.timeout ?? TRACE_TIMEOUT_S) * 1_000
  const result = await traceroute({ to, maxHops: words.hops ?? HOPS_MAX, deadlineMs })
  const lines = result.hops.map(({ ttl, addresses, rttsMs }) =>
    [String(ttl).padStart(3), addresses.join(", ") || "*", rttsMs.map(ms).join(" ")].join("  ").trimEnd(),
  )
  if (result.error !== null) lines.push(result.error)
  else lines.push(result.reached ? `reached ${to.text}` : `${to.text} was not reached`)
  return { answered: result.reached, result: { kind: "traceroute", address: to.text, ...result }, lines }
}

const deadlineMsOf = ({ timeout }: ProbeWords): number => (timeout ?? TIMEOUT_S) * 1_000
const ms = (value: number | null): string =>
  value === null ? "?" : `${value.toFixed(value >= 100 ? 0 : value >= 1 ? 1 : 3)} ms`
