/**
 * [C9] What the pinger measures, against `ping` over the same bad link: a network namespace whose link loses 10 % of the
 * packets (nftables), and a link in user space that delays the others by 20 ms give or take 5 (bad-link.fixture.ts; netem is
 * not in every kernel). And how evenly it asks on a good one, and a thousand addresses.
 */
import assert from "node:assert/strict"
import { execFileSync, spawn } from "node:child_process"
import { once } from "node:events"
import { loadavg } from "node:os"
import { join } from "node:path"
import process from "node:process"
import { after, test } from "node:test"
import type { TestContext } from "node:test"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { silentLog } from "#engine/log.ts"
import { fpingArgs } from "#engine/probes/fping.ts"
import { fpingLine } from "#engine/probes/ping-lines.ts"
import { figures } from "#engine/probes/ping-window.ts"
import type { PingTool } from "#engine/probes/ping-tool.ts"
import { findPingTool } from "#engine/probes/ping-tool.ts"
import { makePinger, shardsOf, untilPhaseMs } from "#engine/probes/pinger.ts"
import { findTool, runTool, startTool } from "#engine/probes/tool.ts"

const NAMESPACE = `hgp-${process.pid}`
const INSIDE = `hgi${process.pid}`
const OUTSIDE = `hgo${process.pid}`
/** RFC 2544's benchmarking range: nobody's. */
const NET = `198.19.${process.pid % 256}`
const FAR = `${NET}.2`

const ip = (words: string): void => void execFileSync("ip", words.split(" "), { stdio: "pipe" })
const inside = (words: string): void => ip(`netns exec ${NAMESPACE} ${words}`)

/** Null, or why there is no such link here. */
const makeLink = (): string | null => {
  const how =
    "enable: run as root on Linux with iproute2, fping and iputils-ping (apt-get install iproute2 fping iputils-ping)"
  try {
    ip(`netns add ${NAMESPACE}`)
    ip(`link add ${OUTSIDE} type veth peer name ${INSIDE} netns ${NAMESPACE}`)
    ip(`addr add ${NET}.1/24 dev ${OUTSIDE}`)
    ip(`link set ${OUTSIDE} up`)
    inside(`ip addr add ${FAR}/24 dev ${INSIDE}`)
    for (let host = 3; host < 23; host++) inside(`ip addr add ${NET}.${host}/24 dev ${INSIDE}`)
    inside(`ip link set ${INSIDE} up`)
    return null
  } catch (error) {
    const words = (error as { stderr?: Buffer }).stderr?.toString().trim() ?? String(error)
    return `no network namespace can be made here (${words.slice(0, 100)}); ${how}`
  }
}
/** Null, or why this cannot be had. */
const attempt = (what: string, commands: readonly string[]): string | null => {
  try {
    for (const words of commands) inside(words)
    return null
  } catch (error) {
    return `${what}: ${((error as { stderr?: Buffer }).stderr?.toString() ?? String(error)).trim().split("\n")[0]}`
  }
}
const lossy = (): string | null =>
  attempt("no packet loss here; enable: apt-get install nftables", [
    "nft add table ip hg",
    "nft add chain ip hg in { type filter hook input priority 0 ; }",
    "nft add rule ip hg in icmp type echo-request numgen random mod 100 < 10 drop",
  ])
const good = (): void => {
  attempt("", ["nft delete table ip hg"])
}

const TOOL = (await findPingTool()).tool
const PING = await findTool("ping")
const NO_TOOLS =
  TOOL?.kind !== "fping" || PING === null
    ? "fping and ping do not both work here; enable: apt-get install fping iputils-ping"
    : null
const WHY_NOT = NO_TOOLS ?? makeLink()
after(() => {
  try {
    // Takes the link's ends along.
    ip(`netns del ${NAMESPACE}`)
  } catch {
    // It was never made.
  }
})

interface Heard {
  readonly address: string
  readonly atMs: number
  readonly rttMs: number | null
}

/** What the pinger hears until `count` pings of each address have ended. */
const heardOf = async (addresses: readonly string[], intervalMs: number, count: number): Promise<readonly Heard[]> => {
  const scope = Scope.makeUnsafe()
  const heard: Heard[] = []
  await new Promise<void>((resolve) => {
    const onPing = ({ address }: { readonly address: string }, rttMs: number | null): void => {
      heard.push({ address, atMs: performance.now(), rttMs })
      if (heard.length === count * addresses.length) resolve()
    }
    const start = Effect.flatMap(makePinger(TOOL as PingTool, onPing, silentLog), (pinger) =>
      pinger.set(addresses.map((address) => ({ address, intervalMs }))),
    )
    void Effect.runPromise(Scope.provide(start, scope))
  })
  await Effect.runPromise(Scope.close(scope, Exit.void))
  return heard
}

/** The same link, at the same time, by both. */
const both = async (address: string, everyMs: number, pings: number) => {
  const args = ["-n", "-q", "-c", String(pings), "-i", String(everyMs / 1_000), "-W", "1", address]
  const [heard, theirs] = await Promise.all([
    heardOf([address], everyMs, pings),
    runTool({ file: PING ?? "", args, deadlineMs: 60_000 }),
  ])
  const ours = figures(heard.map(({ rttMs }) => rttMs))
  assert.ok(ours !== null && ours.rttMs !== null && ours.jitterMs !== null)
  const said = theirs.lines.join("\n")
  const numbers = (/= ([\d.]+)\/([\d.]+)\/[\d.]+\/([\d.]+) ms/.exec(said) ?? []).slice(1).map(Number)
  const [, rttMs = Number.NaN, jitterMs = Number.NaN] = numbers
  const lossPct = Number(/([\d.]+)% packet loss/.exec(said)?.[1])
  const words = `ours: loss ${ours.lossPct} %, rtt ${ours.rttMs} ms, jitter ${ours.jitterMs} ms; ping: ${lossPct} %, ${rttMs}, ${jitterMs}`
  return { ours: { ...ours, rttMs: ours.rttMs, jitterMs: ours.jitterMs }, ping: { lossPct, rttMs, jitterMs }, words }
}

test(
  "[C9] loss agrees with `ping` within 5 points on a link that loses 10 %",
  { skip: WHY_NOT ?? false, timeout: 120_000 },
  async (t) => {
    good()
    const why = lossy()
    if (why !== null) return t.skip(why)
    const { ours, ping, words } = await both(FAR, 10, 1_000)
    t.diagnostic(words)
    // Two samples of a thousand each differ by 1.3 points (one deviation) when nothing is wrong.
    assert.ok(Math.abs(ours.lossPct - ping.lossPct) < 5, words)
    assert.ok(ours.lossPct > 5 && ours.lossPct < 15, words)
  },
)

const SOCAT = await findTool("socat")
const BAD = { address: `198.18.${process.pid % 256}.2`, lossPct: 10, delayMs: 20, jitterMs: 5 }

/** Null once packets flow, else why there is no such link. */
const badLink = async (t: TestContext): Promise<string | null> => {
  const how = "enable: run as root with /dev/net/tun and socat (apt-get install socat)"
  if (SOCAT === null) return `no socat here; ${how}`
  const settings = [BAD.lossPct, BAD.delayMs, BAD.jitterMs, 7].map(String)
  const relay = spawn(process.execPath, [join(import.meta.dirname, "bad-link.fixture.ts"), ...settings], {
    stdio: ["pipe", "pipe", "inherit"],
  })
  t.after(() => relay.stdin.end())
  const [port] = (await once(relay.stdout.setEncoding("utf8"), "data")) as [string]
  const tun = `TUN:${BAD.address.replace(/2$/, "1")}/24,tun-name=hgt${process.pid},iff-no-pi,iff-up`
  const link = spawn(SOCAT, ["-d", tun, `UDP4:127.0.0.1:${port.trim()}`], { stdio: ["ignore", "ignore", "pipe"] })
  t.after(() => link.kill())
  let said = ""
  link.stderr.setEncoding("utf8").on("data", (text: string) => (said += text))
  const ended = once(link, "exit").then(() => `${said.trim().split("\n").at(-1)?.slice(0, 120)}; ${how}`)
  const flows = runTool({
    file: PING ?? "",
    args: ["-n", "-c", "20", "-i", "0.2", "-W", "1", BAD.address],
    deadlineMs: 10_000,
  })
  const first = await Promise.race([ended, flows])
  return typeof first === "string" ? first : first.code === 0 ? null : `nothing comes back over the link; ${how}`
}

test(
  "[C9] loss, round trip and jitter agree with `ping` within 5 % on a link with 10 % loss and 20 +- 5 ms",
  { skip: NO_TOOLS ?? false, timeout: 120_000 },
  async (t) => {
    const why = await badLink(t)
    if (why !== null) return t.skip(why)
    // fping waits for four fifths of its interval: far more than the link's delay.
    const { ours, ping, words } = await both(BAD.address, 100, 350)
    t.diagnostic(words)
    assert.ok(Math.abs(ours.rttMs - ping.rttMs) < 0.05 * ping.rttMs, words)
    assert.ok(Math.abs(ours.jitterMs - ping.jitterMs) < 1, words)
    // Both meet the same losses, but for the first and last number.
    assert.ok(Math.abs(ours.lossPct - ping.lossPct) < 0.05 * ping.lossPct + 0.6, words)
    assert.ok(ours.rttMs >= BAD.delayMs * 0.95 && ours.lossPct > 5 && ours.lossPct < 15, words)
  },
)

test(
  "[C9] a thousand addresses, a tenth of them every 2 s and the others every 10 s: the interval's error p99 below 50 ms",
  { skip: TOOL?.kind === "fping" ? false : "fping does not work here; enable: apt-get install fping", timeout: 90_000 },
  async (t) => {
    const subjects = Array.from({ length: 1_000 }, (_, n) => ({
      address: `127.77.${n >> 8}.${n & 255}`,
      intervalMs: n % 10 === 0 ? 2_000 : 10_000,
    }))
    const errors: number[] = []
    // fping's own clock (-D), so that what a busy test reads late does not count.
    const asked = [...shardsOf(subjects).values()].map(
      ({ addresses, periodMs, phase }) =>
        new Promise<void>((resolve) => {
          const sentMs = new Map<string, number>()
          let left = addresses.length * 4
          const line = (text: string): void => {
            const [, seconds = "", rest = ""] = /^\[(\d+\.\d+)\] (.*)$/.exec(text) ?? []
            const ping = fpingLine(rest)
            if (ping === null || ping.rttMs === null) return
            const atMs = Number(seconds) * 1_000 - ping.rttMs
            const before = sentMs.get(ping.address)
            sentMs.set(ping.address, atMs)
            if (before !== undefined) errors.push(Math.abs(atMs - before - periodMs))
            if (--left === 0) tool.kill()
          }
          const args = ["-D", ...fpingArgs(periodMs)]
          const run = { file: TOOL?.file ?? "", args, stdin: addresses.join("\n") + "\n" }
          let tool = { kill: (): void => resolve() }
          const start = (): void => {
            tool = startTool(run, { line, complaint: () => undefined, ended: () => resolve() })
          }
          setTimeout(start, untilPhaseMs(performance.now(), periodMs, phase))
          t.after(() => tool.kill())
        }),
    )
    await Promise.all(asked)
    errors.sort((a, b) => a - b)
    const at = (q: number): string => (errors[Math.floor(errors.length * q)] ?? Number.NaN).toFixed(1)
    const load = loadavg()[0]?.toFixed(1)
    t.diagnostic(`interval error at load ${load}: p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, ${errors.length} intervals`)
    assert.equal(errors.length, 3_000)
    assert.ok(Number(at(0.99)) < 50, `p99 ${at(0.99)} ms at load ${load}`)
  },
)

test(
  "[C9] every address is asked evenly: the interval's error, p99 over 20 addresses",
  { skip: WHY_NOT ?? false, timeout: 60_000 },
  async (t) => {
    good()
    const addresses = Array.from({ length: 20 }, (_, i) => `${NET}.${i + 3}`)
    const heard = await heardOf(addresses, 1_000, 10)
    const errors: number[] = []
    for (const list of Map.groupBy(heard, ({ address }) => address).values()) {
      assert.ok(
        list.every(({ rttMs }) => rttMs !== null),
        "a good link loses nothing",
      )
      const sentMs = list.map(({ atMs, rttMs }) => atMs - (rttMs ?? 0))
      for (const [i, at] of sentMs.slice(1).entries()) errors.push(Math.abs(at - (sentMs[i] ?? 0) - 1_000))
    }
    errors.sort((a, b) => a - b)
    const p99 = errors[Math.floor(errors.length * 0.99)] ?? Number.NaN
    t.diagnostic(
      `interval error: p50 ${errors[errors.length >> 1]} ms, p99 ${p99} ms of 1,000 ms, ${errors.length} intervals`,
    )
    assert.ok(errors.length > 150)
    // What is read late by a busy test process counts as well.
    assert.ok(p99 < 100, `${p99} ms`)
  },
)
