/**
 * The fixture's stream: one network, its changes as frames, a ring to resume from. Speaks the real codec. Tests only.
 */
import type { WebSocket } from "ws"
import { statusByte } from "#client/e2e/fixture-network.ts"
import type { FixtureNetwork } from "#client/e2e/fixture-network.ts"
import { fixtureDevice, fixtureLink } from "#client/e2e/fixture-views.ts"
import { decodeClient, encodeServer } from "#protocol/codec.ts"
import type { EventView } from "#protocol/view.ts"
import { packUtil } from "#protocol/wire.ts"
import type { ServerFrame, Sub } from "#protocol/wire.ts"

const EPOCH = 7
const RING = 300

export type Hub = ReturnType<typeof makeHub>
export const makeHub = (network: FixtureNetwork, demo: boolean) => {
  const stats = { sockets: 0, keyframes: 0 }
  const clients = new Map<WebSocket, Sub["focus"]>()
  const events: EventView[] = []
  const ring: { seq: number; bytes: Uint8Array }[] = []
  let seq = 1
  const send = (client: WebSocket, frame: ServerFrame) => client.send(encodeServer(frame))
  const publish = (nodes: readonly number[], links: readonly number[], news: readonly EventView[]) => {
    const base = seq
    seq++
    const frames: ServerFrame[] = []
    const common = { epoch: EPOCH, base, seq, atMs: Date.now() }
    events.push(...news)
    if (news.length > 0) frames.push({ kind: "EVENT", ...common, events: news })
    frames.push({
      kind: "DELTA",
      ...common,
      nodes: {
        slot: Uint32Array.from(nodes),
        status: Uint8Array.from(nodes, (slot) => network.nodes.status[slot] as number),
        seenS: Uint32Array.from(nodes, (slot) => network.nodes.seenS[slot] as number),
      },
      links: {
        slot: Uint32Array.from(links),
        status: Uint8Array.from(links, (slot) => network.links.status[slot] as number),
        utilAB: Uint8Array.from(links, (slot) => network.links.utilAB[slot] as number),
        utilBA: Uint8Array.from(links, (slot) => network.links.utilBA[slot] as number),
      },
      counts: network.counts(),
    })
    for (const frame of frames) {
      const bytes = encodeServer(frame)
      ring.push({ seq, bytes })
      for (const client of clients.keys()) client.send(bytes)
    }
    ring.splice(0, Math.max(0, ring.length - RING))
  }
  const event = (subject: string, kind: "device" | "link", down: boolean): EventView => ({
    id: `${seq + 1}-0`,
    atMs: Date.now(),
    type: kind === "link" ? "link.down" : "device.reachable.changed",
    severity: down ? "critical" : "cleared",
    subject,
    subjectKind: kind,
    entity: "",
    old: down ? "ok" : "down",
    new: down ? "down" : "ok",
    raw: null,
    source: "twin",
  })
  const welcome = (client: WebSocket, resume: { epoch: number; seq: number } | null) => {
    const tenant = { id: "t1", name: "Norte Fibra", demo }
    send(client, { kind: "WELCOME", version: 2, tenant, epoch: EPOCH, seq, mode: "live", atMs: Date.now() })
    const missed = resume?.epoch === EPOCH ? ring.filter((frame) => frame.seq > resume.seq) : null
    const reaches = missed !== null && (resume?.seq === seq || (ring[0]?.seq ?? Infinity) <= (resume?.seq ?? 0) + 1)
    if (missed !== null && reaches) {
      for (const { bytes } of missed) client.send(bytes)
    } else {
      stats.keyframes++
      const { sites, nodes, links } = network
      const snap = { epoch: EPOCH, seq, atMs: Date.now(), part: 0, parts: 1, counts: network.counts() }
      send(client, { kind: "SNAP", ...snap, sites, nodes, links, events: events.slice(-100) })
    }
    clients.set(client, null)
  }
  const showFocus = (client: WebSocket, focus: Sub["focus"]) => {
    if (focus === null) return
    const view = focus.kind === "device" ? fixtureDevice(network, focus.id) : fixtureLink(network, focus.id)
    if (view !== null) send(client, { kind: "FOCUS", atMs: Date.now(), view })
  }
  return {
    stats,
    events,
    join: (client: WebSocket) => {
      stats.sockets++
      client.on("message", (data: Buffer) => {
        const frame = decodeClient(new Uint8Array(data))
        if (frame.kind === "HELLO") welcome(client, frame.resume)
        else if (frame.kind === "PING") send(client, { kind: "PONG", token: frame.token, atMs: Date.now() })
        else {
          clients.set(client, frame.focus)
          showFocus(client, frame.focus)
        }
      })
      client.on("close", () => clients.delete(client))
    },
    drop: () => {
      for (const client of clients.keys()) client.terminate()
      clients.clear()
    },
    tellIncidents: () =>
      publish([], [], [{ ...event(network.nodes.id[0] as string, "device", true), type: "incident.updated" }]),
    tellAlerts: () =>
      publish([], [], [{ ...event(network.nodes.id[0] as string, "device", true), type: "alert.firing" }]),
    wobble: (dice: () => number) => {
      const links = [...network.links.id.keys()].filter(
        (slot) => (network.links.status[slot] ?? 0) % 8 === 1 && dice() < 0.3,
      )
      for (const slot of links) {
        const near = (util: number) => packUtil(Math.max(0.01, Math.min(0.97, util / 200 + (dice() - 0.5) * 0.06)))
        network.links.utilAB[slot] = near(network.links.utilAB[slot] as number)
        network.links.utilBA[slot] = near(network.links.utilBA[slot] as number)
      }
      network.nodes.seenS.forEach((_, slot) => {
        if ((network.nodes.status[slot] as number) % 8 === 1) network.nodes.seenS[slot] = Math.floor(Date.now() / 1_000)
      })
      publish([], links, [])
      for (const [client, focus] of clients) showFocus(client, focus)
    },
    cut: (slot: number): string => {
      network.links.status[slot] = statusByte("down", "critical")
      network.links.utilAB[slot] = 0
      network.links.utilBA[slot] = 0
      const id = network.links.id[slot] as string
      publish([], [slot], [event(id, "link", true)])
      return id
    },
    mend: (slot: number) => {
      network.links.status[slot] = statusByte("ok", "cleared")
      publish([], [slot], [event(network.links.id[slot] as string, "link", false)])
    },
    mark: (node: number, mark: "major" | "warning" | "maintenance" | "unknown") => {
      const bytes = {
        major: statusByte("degraded", "major"),
        warning: statusByte("degraded", "warning"),
        maintenance: statusByte("ok", "cleared", { maintenance: true }),
        unknown: statusByte("unknown", "indeterminate"),
      }
      network.nodes.status[node] = bytes[mark]
      publish([node], [], [])
    },
    kill: (node: number) => {
      network.nodes.status[node] = statusByte("down", "critical")
      const links = [...network.links.id.keys()].filter(
        (slot) => network.links.a[slot] === node || network.links.b[slot] === node,
      )
      for (const slot of links) network.links.status[slot] = statusByte("down", "critical")
      publish([node], links, [event(network.nodes.id[node] as string, "device", true)])
    },
  }
}
