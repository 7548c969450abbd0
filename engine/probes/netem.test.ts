/**
 * [C9] What the pinger measures, against `ping` over the same bad link: a network namespace whose link loses 10 % of the
 * packets (nftables), and a link in user space that delays the others by 20 ms give or take 5 (bad-link.fixture.ts; netem is
 * not in every kernel). And that it asks each of a thousand addresses at its own rate; how evenly: `bench probe-pace`.
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
import { pingLine } from "#engine/probes/ping-lines.ts"
import { figures } from "#engine/probes/ping-window.ts"
import type { PingTool } from "#engine/probes/ping-tool.ts"
import { findPingTool } from "#engine/probes/ping-tool.ts"
import { makePinger } from "#engine/probes/pinger.ts"
import type { PingSubject } from "#engine/probes/pinger.ts"
import { findTool, runTool } from "#engine/probes/tool.ts"

const NAMESPACE = `hgp-${process.pid}`
const INSIDE = `hgi${process.pid}`
const OUTSIDE = `hgo${process.pid}`
/** RFC 2544's benchmarking range: nobody's. */
const NET = `198.19.${process.pid % 256}`
const FAR = `${NET}.2`
const MANY = Array.from({ length: 20 }, (_, nth) => `${NET}.${nth + 3}`)

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
    for (const address of MANY) inside(`ip addr add ${address}/24 dev ${INSIDE}`)
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

/** What the pinger hears until `count` pings of each address have ended, answered or not. */
const heardOf = async (subjects: readonly PingSubject[], count: number): Promise<readonly Heard[]> => {
  const scope = Scope.makeUnsafe()
  const heard: Heard[] = []
  const counts = new Map<string, number>()
  let satisfied = 0
  await new Promise<void>((resolve) => {
    const onPing = ({ address }: { readonly address: string }, rttMs: number | null): void => {
      heard.push({ address, atMs: performance.now(), rttMs })
      const so = (counts.get(address) ?? 0) + 1
      counts.set(address, so)
      if (so === count && ++satisfied === subjects.length) resolve()
    }
    const start = Effect.flatMap(makePinger(TOOL as PingTool, onPing, silentLog), (pinger) => pinger.set(subjects))
    void Effect.runPromise(Scope.provide(start, scope))
  })
  await Effect.runPromise(Scope.close(scope, Exit.void))
  return heard
}
const every = (intervalMs: number, addresses: readonly string[]): readonly PingSubject[] =>
  addresses.map((address) => ({ address, intervalMs }))

/** What `ping` heard of an address: round trips by number, from 1; who did not answer has none. */
const pinged = async (address: string, everyMs: number, pings: number): Promise<ReadonlyMap<number, number>> => {
  const args = ["-n", "-c", String(pings), "-i", String(everyMs / 1_000), "-W", "1", address]
  const { lines } = await runTool({ file: PING ?? "", args, deadlineMs: 5 * everyMs * pings + 60_000 })
  const answers = lines.map(pingLine).filter((line) => line !== null)
  return new Map(answers.map(({ seq, rttMs }) => [seq, rttMs ?? Number.NaN]))
}

/**
 * Chance decides what is lost, and a machine with other things to do makes an answer late for one of two tools: what
 * agrees once agrees. Who measures wrongly does it each time.
 */
const ATTEMPTS = 4
const agreeOnce = async (t: TestContext, attempt: () => Promise<readonly [isSo: boolean, words: string]>) => {
  const tried: string[] = []
  for (let nth = 0; nth < ATTEMPTS; nth++) {
    const [isSo, words] = await attempt()
    t.diagnostic(`${words}; load ${loadavg()[0]?.toFixed(1)}`)
    if (isSo) return
    tried.push(words)
  }
  assert.fail(tried.join("\n"))
}

test(
  "[C9] loss agrees with `ping` within 5 points on a link that loses 10 %",
  { skip: WHY_NOT ?? false, timeout: 400_000 },
  async (t) => {
    good()
    const why = lossy()
    if (why !== null) return t.skip(why)
    t.after(good)
    // Twenty addresses at this pace: an answer may be 160 ms late before fping takes it for lost.
    const [everyMs, each] = [200, 50]
    const all = MANY.length * each
    await agreeOnce(t, async () => {
      const [heard, theirs] = await Promise.all([
        heardOf(every(everyMs, MANY), each),
        Promise.all(MANY.map((address) => pinged(address, everyMs, each))),
      ])
      const ours = figures(heard.map(({ rttMs }) => rttMs))?.lossPct ?? Number.NaN
      const ping = 100 * (1 - theirs.reduce((sum, { size }) => sum + size, 0) / all)
      // Two samples of a thousand each differ by 1.3 points (one deviation) when nothing is wrong.
      const isSo = Math.abs(ours - ping) < 5 && ours > 5 && ours < 15
      return [isSo, `${all} pings each; loss: ours ${ours.toFixed(2)} %, ping ${ping.toFixed(2)} %`]
    })
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

/** Two tools' round trips by the number of the ping, from 1: what their link did to that number is the same for both. */
interface Pair {
  readonly ours: number | null
  readonly ping: number | null
}
/** Share of the pings that this machine may have delayed for one of two tools only: those that differ most. */
const ODD = 0.1

const compared = (pairs: readonly Pair[]): readonly [isSo: boolean, words: string] => {
  const lost = (of: keyof Pair): number => pairs.filter((pair) => pair[of] === null).length
  const lostByOne = pairs.filter(({ ours, ping }) => (ours === null) !== (ping === null)).length
  const answered = pairs.flatMap(({ ours, ping }) => (ours === null || ping === null ? [] : [{ ours, ping }]))
  const alike = answered
    .toSorted((a, b) => Math.abs(a.ours - a.ping) - Math.abs(b.ours - b.ping))
    .slice(0, Math.ceil(answered.length * (1 - ODD)))
  const [ours, ping] = [figures(alike.map((pair) => pair.ours)), figures(alike.map((pair) => pair.ping))]
  const near = (a: number | null | undefined, b: number | null | undefined): boolean =>
    Math.abs((a ?? Number.NaN) - (b ?? Number.NaN)) < 0.05 * (b ?? Number.NaN)
  const isSo =
    lostByOne <= 0.03 * pairs.length &&
    lost("ping") > 0.05 * pairs.length &&
    lost("ping") < 0.15 * pairs.length &&
    (ours?.rttMs ?? 0) >= BAD.delayMs * 0.9 &&
    near(ours?.rttMs, ping?.rttMs) &&
    near(ours?.jitterMs, ping?.jitterMs)
  const told = (of: keyof Pair): string => {
    const all = figures(pairs.map((pair) => pair[of]))
    return `loss ${all?.lossPct.toFixed(2)} %, rtt ${all?.rttMs?.toFixed(2)} ms, jitter ${all?.jitterMs?.toFixed(2)} ms`
  }
  const kept = `of the ${alike.length} most alike rtt ${ours?.rttMs?.toFixed(2)} and ${ping?.rttMs?.toFixed(2)} ms, jitter ${ours?.jitterMs?.toFixed(2)} and ${ping?.jitterMs?.toFixed(2)} ms`
  return [isSo, `ours: ${told("ours")}; ping: ${told("ping")}; ${lostByOne} lost by one only; ${kept}`]
}

test(
  "[C9] loss, round trip and jitter agree with `ping` within 5 % on a link with 10 % loss and 20 +- 5 ms",
  { skip: NO_TOOLS ?? false, timeout: 500_000 },
  async (t) => {
    const why = await badLink(t)
    if (why !== null) return t.skip(why)
    // fping waits for four fifths of its interval: far more than the link's delay.
    const [everyMs, pings] = [200, 200]
    await agreeOnce(t, async () => {
      const [heard, theirs] = await Promise.all([
        heardOf(every(everyMs, [BAD.address]), pings),
        pinged(BAD.address, everyMs, pings),
      ])
      // fping counts from 0, ping from 1: our first number and ping's last one have no counterpart.
      const pairs = heard.slice(1, pings).map(({ rttMs }, at) => ({ ours: rttMs, ping: theirs.get(at + 1) ?? null }))
      return compared(pairs)
    })
  },
)

/** The middle one of the times between an address's pings, as we heard of them. */
const medianMs = (heard: readonly Heard[]): number => {
  const gaps = [...Map.groupBy(heard, ({ address }) => address).values()].flatMap((list) =>
    list.slice(1).map(({ atMs }, at) => atMs - (list[at]?.atMs ?? Number.NaN)),
  )
  return gaps.toSorted((a, b) => a - b)[gaps.length >> 1] ?? Number.NaN
}
/** How evenly is `bench probe-pace`'s claim; here, that it is this period and no other, on whatever machine. */
const assertPace = (heard: readonly Heard[], periodMs: number): void => {
  const ms = medianMs(heard)
  assert.ok(ms > periodMs / 2 && ms < periodMs * 2, `asked each ${ms.toFixed(0)} ms, not ${periodMs}`)
}
const assertAnswered = (heard: readonly Heard[], addresses: number): void => {
  const answered = new Set(heard.filter(({ rttMs }) => rttMs !== null).map(({ address }) => address))
  assert.equal(answered.size, addresses, "who is there is heard")
}

test(
  "[C9] a thousand addresses, a tenth of them every 2 s and the others every 10 s: all are asked, each at its own rate",
  {
    skip: TOOL?.kind === "fping" ? false : "fping does not work here; enable: apt-get install fping",
    timeout: 300_000,
  },
  async (t) => {
    const subjects = Array.from({ length: 1_000 }, (_, n) => ({
      address: `127.77.${n >> 8}.${n & 255}`,
      intervalMs: n % 10 === 0 ? 2_000 : 10_000,
    }))
    const heard = await heardOf(subjects, 4)
    const counts = Map.groupBy(heard, ({ address }) => address)
    assert.ok(subjects.every(({ address }) => (counts.get(address)?.length ?? 0) >= 4))
    assertAnswered(heard, subjects.length)
    for (const periodMs of [2_000, 10_000]) {
      const own = subjects.filter(({ intervalMs }) => intervalMs === periodMs)
      const ofThese = own.flatMap(({ address }) => counts.get(address) ?? [])
      t.diagnostic(
        `${own.length} each ${periodMs} ms: ${ofThese.length} pings, ${medianMs(ofThese).toFixed(1)} ms apart`,
      )
      assertPace(ofThese, periodMs)
    }
  },
)

test(
  "[C9] every address over a link is asked evenly: none rarer than the others",
  { skip: WHY_NOT ?? false, timeout: 120_000 },
  async () => {
    good()
    const heard = await heardOf(every(1_000, MANY), 10)
    assertAnswered(heard, MANY.length)
    for (const list of Map.groupBy(heard, ({ address }) => address).values()) {
      // They go out together: when the last one has been asked ten times, nobody is further than a turn or two.
      assert.ok(list.length >= 10 && list.length <= 12, `${list.length} pings`)
      assertPace(list, 1_000)
    }
  },
)
