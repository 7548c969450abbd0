/** The committed timelines are readable, and tell what is known to be true of their causes. */
import assert from "node:assert/strict"
import { globSync, readFileSync } from "node:fs"
import { basename, join } from "node:path"
import { test } from "node:test"
import { FRR_ISP, linkBetween, ospfNeighbours, portsOf, routerNamed } from "#lab/frr/isp.ts"
import { readTimeline, writeTimeline } from "#lab/frr/timeline.ts"
import type { Entry, Timeline } from "#lab/frr/timeline.ts"

const DIRECTORY = join(import.meta.dirname, "timelines")
const FILES = globSync("*.jsonl", { cwd: DIRECTORY }).toSorted()
const timeline = (name: string): Timeline => readTimeline(readFileSync(join(DIRECTORY, `${name}.jsonl`), "utf8"))
const loopback = (name: string): string => routerNamed(FRR_ISP, name)?.loopback ?? "?"

/** Entries from the fault until it was mended. */
const symptoms = ({ header, entries }: Timeline): readonly Entry[] =>
  entries.filter(({ ms }) => ms >= 0 && ms < header.mendedMs)
const isOspfDown = (entry: Entry, device: string, remote: string): boolean =>
  entry.device === device &&
  entry.kind === "trap" &&
  entry.trap === "ospfNbrStateChange" &&
  entry.remote === loopback(remote) &&
  entry.state === "down"
const isPortDown = (entry: Entry, device: string, port: string): boolean =>
  entry.device === device &&
  entry.kind === "poll" &&
  entry.entity === `if:${port}` &&
  entry.metric === "interface.oper_up" &&
  entry.new === "down"

test("every timeline names its cause, its tier and its versions, and only routers of the lab, in the order of time", () => {
  assert.deepEqual(FILES, ["link-shut.jsonl", "loss-75.jsonl", "router-killed.jsonl", "upstream-killed.jsonl"])
  const names = new Set(FRR_ISP.routers.map(({ name }) => name))
  for (const file of FILES) {
    const { header, entries } = timeline(basename(file, ".jsonl"))
    assert.equal(`${header.timeline}.jsonl`, file)
    assert.equal(header.tier, "real daemons")
    for (const program of ["frr", "snmpd", "lldpd", "linux"]) assert.ok(header.versions[program], `${file}: ${program}`)
    assert.ok(entries.length > 10)
    for (const { device } of entries) assert.ok(names.has(device), device)
    for (let i = 1; i < entries.length; i++) assert.ok((entries[i] as Entry).ms >= (entries[i - 1] as Entry).ms - 1_000)
  }
})

test("what is written is what is read; a broken line is named", () => {
  for (const file of FILES) {
    const text = readFileSync(join(DIRECTORY, file), "utf8")
    const { header, entries } = readTimeline(text)
    assert.equal(writeTimeline(header, entries), text)
    assert.throws(() => readTimeline(`${text}{"ms":1}\n`), new RegExp(`^Error: line ${entries.length + 2}: `))
  }
  assert.throws(() => readTimeline("{}"), /line 1: not the header/)
  assert.throws(() => readTimeline("no json"), /line 1: not a JSON object/)
})

test("link-shut: OSPF falls at both ends, both ports go down, only the shut end's ifAdminStatus is down", () => {
  const recorded = timeline("link-shut")
  const { cause } = recorded.header
  assert.ok(cause.kind === "link")
  const seen = symptoms(recorded)
  const link = linkBetween(FRR_ISP, cause.a, cause.b)
  assert.ok(link)
  assert.ok(seen.some((entry) => isOspfDown(entry, cause.a, cause.b)))
  assert.ok(seen.some((entry) => isOspfDown(entry, cause.b, cause.a)))
  assert.ok(seen.some((entry) => isPortDown(entry, link.a.router, link.a.interface)))
  assert.ok(seen.some((entry) => isPortDown(entry, link.b.router, link.b.interface)))
  const shut = seen.filter(
    (entry) => entry.kind === "poll" && entry.metric === "interface.admin_up" && entry.new === "down",
  )
  assert.deepEqual(
    shut.map(({ device }) => device),
    [cause.shutAt],
  )
})

test("router-killed: one cause, its neighbours at once, its nine BGP peers late, and their traps again and again", () => {
  const recorded = timeline("router-killed")
  const { cause, timers } = recorded.header
  assert.ok(cause.kind === "router")
  const seen = symptoms(recorded)
  assert.ok(seen.some((entry) => entry.kind === "unreachable" && entry.device === cause.router))
  for (const { far } of portsOf(FRR_ISP, cause.router))
    assert.ok(seen.some((entry) => isPortDown(entry, far.router, far.interface)))
  for (const far of ospfNeighbours(FRR_ISP, cause.router))
    assert.ok(seen.some((entry) => isOspfDown(entry, far, cause.router)))
  const lost = seen.filter(
    (entry) =>
      entry.kind === "trap" && entry.trap === "bgpBackwardTransition" && entry.remote === loopback(cause.router),
  )
  assert.equal(new Set(lost.map(({ device }) => device)).size, 9)
  assert.ok(lost.length > 18, "each peer repeats it while the router is down")
  // A power cut closes no TCP session: only the hold time tells.
  assert.ok(lost.every(({ ms }) => ms > ((timers["bgpHold"] ?? 0) - (timers["bgpKeepalive"] ?? 0)) * 1000 - 500))
  // Nothing is heard of the dead router itself.
  assert.ok(
    seen.filter(({ device, ms }) => device === cause.router && ms > 1_000).every(({ kind }) => kind === "unreachable"),
  )
})

test("upstream-killed: the border loses the port and the session, nobody else loses a port", () => {
  const recorded = timeline("upstream-killed")
  const { cause } = recorded.header
  assert.ok(cause.kind === "router")
  const seen = symptoms(recorded)
  const [port] = portsOf(FRR_ISP, cause.router)
  assert.ok(port)
  assert.ok(seen.some((entry) => isPortDown(entry, port.far.router, port.far.interface)))
  assert.ok(
    seen.some(
      (entry) =>
        entry.device === port.far.router &&
        entry.kind === "trap" &&
        entry.trap === "bgpBackwardTransition" &&
        entry.remote === port.own.address,
    ),
  )
  const ports = seen.filter(
    (entry) => entry.kind === "poll" && entry.metric === "interface.oper_up" && entry.new === "down",
  )
  assert.deepEqual([...new Set(ports.map(({ device }) => device))], [port.far.router])
})

test("loss-75: OSPF flaps at both ends while every port stays up", () => {
  const recorded = timeline("loss-75")
  const { cause } = recorded.header
  assert.ok(cause.kind === "loss")
  const seen = symptoms(recorded)
  assert.ok(seen.some((entry) => isOspfDown(entry, cause.a, cause.b)))
  assert.ok(seen.some((entry) => isOspfDown(entry, cause.b, cause.a)))
  assert.ok(!seen.some((entry) => entry.kind === "poll" && entry.metric === "interface.oper_up"))
  assert.ok(!seen.some((entry) => entry.kind === "trap" && entry.trap === "linkDown"))
})
