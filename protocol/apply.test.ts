import assert from "node:assert/strict"
import { describe, test } from "node:test"
import fc from "fast-check"
import { applyFrame, isAfter, MAX_EVENTS, newViewState } from "#protocol/apply.ts"
import type { ViewState } from "#protocol/apply.ts"
import { record, SERVER_FRAMES } from "#protocol/frames.fixture.ts"
import type { EventView } from "#protocol/view.ts"
import type { Delta, EventFrame, Snap } from "#protocol/wire.ts"

const NODES = 4
const LINKS = 3
const EPOCH = 7

const eventAt = (seq: number, index: number): EventView => ({
  id: `${seq}-${index}`,
  atMs: seq,
  type: "link.down",
  severity: "critical",
  subject: "x",
  subjectKind: "link",
  entity: "",
  old: null,
  new: null,
  raw: null,
  source: "twin",
})

/** A server as rule [R2] describes it: state, seq of the last change per slot, all events. */
interface Server {
  seq: number
  readonly node: Array<{ status: number; seenS: number; changed: number }>
  readonly link: Array<{ status: number; ab: number; ba: number; changed: number }>
  readonly events: EventView[]
}

type Change =
  | { kind: "node"; slot: number; status: number; seenS: number }
  | { kind: "link"; slot: number; status: number; ab: number; ba: number }
  | { kind: "event" }

const newServer = (): Server => ({
  seq: 1,
  node: Array.from({ length: NODES }, () => ({ status: 8, seenS: 0, changed: 0 })),
  link: Array.from({ length: LINKS }, () => ({ status: 8, ab: 255, ba: 255, changed: 0 })),
  events: [],
})

const advance = (server: Server, changes: readonly Change[]): void => {
  server.seq++
  let index = 0
  for (const change of changes) {
    if (change.kind === "event") server.events.push(eventAt(server.seq, index++))
    else if (change.kind === "node")
      server.node[change.slot] = { status: change.status, seenS: change.seenS, changed: server.seq }
    else server.link[change.slot] = { ...change, changed: server.seq }
  }
}

const counts = (server: Server): Delta["counts"] => ({
  routers: NODES,
  routersUp: server.node.filter((node) => node.status === 1).length,
  links: LINKS,
  linksDown: 0,
  linksHot: 0,
  sites: 0,
  subscribers: null,
})

const keyframe = (server: Server, parts = 1): Snap[] => {
  const cut = <T>(all: readonly T[], part: number): T[] => {
    const size = Math.ceil(all.length / parts)
    return all.slice(part * size, (part + 1) * size)
  }
  return Array.from({ length: parts }, (_, part) => {
    const nodes = cut(server.node, part)
    const links = cut(server.link, part)
    return {
      kind: "SNAP",
      epoch: EPOCH,
      seq: server.seq,
      atMs: server.seq,
      part,
      parts,
      sites: {
        id: [],
        name: [],
        latitude: new Float64Array(0),
        longitude: new Float64Array(0),
        placeGuessed: new Uint8Array(0),
      },
      nodes: {
        id: nodes.map((_, i) => `n${part}-${i}`),
        name: nodes.map(() => "n"),
        site: new Uint32Array(nodes.length),
        role: new Uint8Array(nodes.length),
        status: Uint8Array.from(nodes, (node) => node.status),
        seenS: Uint32Array.from(nodes, (node) => node.seenS),
      },
      links: {
        id: links.map((_, i) => `l${part}-${i}`),
        a: new Uint32Array(links.length),
        b: new Uint32Array(links.length),
        capacityBps: new Float64Array(links.length),
        status: Uint8Array.from(links, (link) => link.status),
        utilAB: Uint8Array.from(links, (link) => link.ab),
        utilBA: Uint8Array.from(links, (link) => link.ba),
      },
      counts: counts(server),
      events: part === 0 ? server.events.slice(-MAX_EVENTS) : [],
    }
  })
}

const changedSince = <T extends { changed: number }>(rows: readonly T[], seq: number): Array<[number, T]> =>
  [...rows.entries()].filter(([, row]) => row.changed > seq)

/** [R2]: the events after `base`, then one coalesced delta. */
const framesFrom = (server: Server, base: number): ReadonlyArray<Delta | EventFrame> => {
  const at = { epoch: EPOCH, base, seq: server.seq, atMs: server.seq }
  const nodes = changedSince(server.node, base)
  const links = changedSince(server.link, base)
  const missed = server.events.filter((event) => Number(event.id.split("-")[0]) > base)
  const delta: Delta = {
    kind: "DELTA",
    ...at,
    nodes: {
      slot: Uint32Array.from(nodes, ([slot]) => slot),
      status: Uint8Array.from(nodes, ([, node]) => node.status),
      seenS: Uint32Array.from(nodes, ([, node]) => node.seenS),
    },
    links: {
      slot: Uint32Array.from(links, ([slot]) => slot),
      status: Uint8Array.from(links, ([, link]) => link.status),
      utilAB: Uint8Array.from(links, ([, link]) => link.ab),
      utilBA: Uint8Array.from(links, ([, link]) => link.ba),
    },
    counts: counts(server),
  }
  return missed.length === 0 ? [delta] : [{ kind: "EVENT", ...at, events: missed }, delta]
}

const viewerOf = (server: Server, parts = 1): ViewState => {
  const viewer = newViewState()
  for (const part of keyframe(server, parts)) assert.equal(applyFrame(viewer, part), "applied")
  return viewer
}

/** What is on the screen, apart from part-wise ids. */
const picture = (state: ViewState): unknown => ({
  seq: state.seq,
  atMs: state.atMs,
  status: [...state.nodes.status],
  seenS: [...state.nodes.seenS],
  link: [...state.links.status],
  ab: [...state.links.utilAB],
  ba: [...state.links.utilBA],
  counts: state.counts,
  events: state.events,
})

const byte = fc.nat(255)
const change: fc.Arbitrary<Change> = fc.oneof(
  record({ kind: fc.constant("node" as const), slot: fc.nat(NODES - 1), status: byte, seenS: fc.nat() }),
  record({ kind: fc.constant("link" as const), slot: fc.nat(LINKS - 1), status: byte, ab: byte, ba: byte }),
  fc.constant({ kind: "event" as const }),
)
const history = fc.array(fc.array(change, { maxLength: 4 }), { minLength: 1, maxLength: 12 })

describe("[D] deltas", () => {
  test("[D3] one coalesced delta = each delta in turn, in any grouping", () => {
    fc.assert(
      fc.property(history, fc.array(fc.boolean(), { minLength: 12, maxLength: 12 }), (steps, sends) => {
        const server = newServer()
        const eager = viewerOf(server)
        const lazy = viewerOf(server)
        const fitful = viewerOf(server)
        for (const [i, changes] of steps.entries()) {
          advance(server, changes)
          for (const frame of framesFrom(server, eager.seq)) assert.equal(applyFrame(eager, frame), "applied")
          if (sends[i])
            for (const frame of framesFrom(server, fitful.seq)) assert.equal(applyFrame(fitful, frame), "applied")
        }
        for (const viewer of [lazy, fitful])
          for (const frame of framesFrom(server, viewer.seq)) applyFrame(viewer, frame)
        assert.deepStrictEqual(picture(lazy), picture(eager))
        assert.deepStrictEqual(picture(fitful), picture(eager))
        assert.deepStrictEqual(picture(viewerOf(server)), picture(eager))
      }),
    )
  })

  test("[D1][R5] a delta of an older base applies to every viewer in its span, with the same picture", () => {
    fc.assert(
      fc.property(history, fc.nat(11), (steps, when) => {
        const server = newServer()
        const base = server.seq
        const old = viewerOf(server)
        let middle = old
        for (const [i, changes] of steps.entries()) {
          if (i === when) middle = viewerOf(server)
          advance(server, changes)
        }
        const shared = framesFrom(server, base)
        for (const frame of shared) applyFrame(middle, frame)
        if (middle !== old) for (const frame of shared) applyFrame(old, frame)
        assert.deepStrictEqual(picture(middle), picture(viewerOf(server)))
        assert.deepStrictEqual(picture(old), picture(middle))
      }),
    )
  })

  test("[D2] gap and duplicate change nothing", () => {
    const server = newServer()
    const viewer = viewerOf(server)
    advance(server, [{ kind: "node", slot: 0, status: 1, seenS: 1 }])
    advance(server, [{ kind: "node", slot: 1, status: 1, seenS: 1 }])
    const before = structuredClone(viewer)
    const [missing] = framesFrom(server, 2) as [Delta]
    assert.equal(applyFrame(viewer, missing), "gap")
    const [delta] = framesFrom(server, 1) as [Delta]
    assert.equal(applyFrame(viewer, { ...delta, epoch: EPOCH + 1 }), "gap")
    const outside = { ...delta, nodes: { ...delta.nodes, slot: Uint32Array.of(0, NODES) } }
    assert.equal(applyFrame(viewer, outside), "gap")
    assert.deepStrictEqual(viewer, before)
    assert.equal(applyFrame(viewer, delta), "applied")
    const after = structuredClone(viewer)
    assert.equal(applyFrame(viewer, { ...delta, nodes: { ...delta.nodes, status: Uint8Array.of(9, 9) } }), "duplicate")
    assert.deepStrictEqual(viewer, after)
  })

  test("[D4] a delta without rows moves the place", () => {
    const server = newServer()
    const viewer = viewerOf(server)
    advance(server, [])
    for (const frame of framesFrom(server, viewer.seq)) assert.equal(applyFrame(viewer, frame), "applied")
    assert.equal(viewer.seq, server.seq)
  })
})

describe("[E] events", () => {
  test("[E2][E3] a connection lost between EVENT and DELTA loses no event and doubles none", () => {
    fc.assert(
      fc.property(history, fc.array(fc.boolean(), { minLength: 12, maxLength: 12 }), (steps, cuts) => {
        const server = newServer()
        const viewer = viewerOf(server)
        for (const [i, changes] of steps.entries()) {
          advance(server, changes)
          const frames = framesFrom(server, viewer.seq)
          for (const frame of cuts[i] ? frames.slice(0, 1) : frames) assert.notEqual(applyFrame(viewer, frame), "gap")
        }
        for (const frame of framesFrom(server, viewer.seq)) applyFrame(viewer, frame)
        assert.deepStrictEqual(viewer.events, server.events)
      }),
    )
  })

  test("[E4] the newest 512 are kept, in a keyframe and after it", () => {
    const server = newServer()
    const viewer = viewerOf(server)
    advance(
      server,
      Array.from({ length: MAX_EVENTS + 40 }, () => ({ kind: "event" as const })),
    )
    for (const frame of framesFrom(server, viewer.seq)) applyFrame(viewer, frame)
    assert.deepStrictEqual(viewer.events, server.events.slice(-MAX_EVENTS))
    const [snap] = keyframe(server) as [Snap]
    applyFrame(viewer, { ...snap, events: server.events })
    assert.equal(viewer.events.length, MAX_EVENTS)
  })

  test("[E1] ids order by seq and then by index, not as text", () => {
    assert.ok(isAfter("10-0", "9-5"))
    assert.ok(isAfter("9-10", "9-9"))
    assert.ok(!isAfter("9-9", "9-9"))
    assert.ok(!isAfter("9-9", "10-0"))
  })

  test("[E3] events of another epoch or beyond the viewer's place are a gap", () => {
    const viewer = viewerOf(newServer())
    const frame = SERVER_FRAMES["event"] as EventFrame
    assert.equal(applyFrame(viewer, { ...frame, epoch: EPOCH, base: 2, seq: 3 }), "gap")
    assert.equal(applyFrame(viewer, { ...frame, epoch: EPOCH + 1, base: 1, seq: 3 }), "gap")
    assert.deepEqual(viewer.events, [])
  })
})

describe("[K] keyframes", () => {
  test("[K1][K2] parts in order give the whole, and nothing shows before the last", () => {
    fc.assert(
      fc.property(history, fc.integer({ min: 1, max: 5 }), (steps, parts) => {
        const server = newServer()
        for (const changes of steps) advance(server, changes)
        assert.deepStrictEqual(picture(viewerOf(server, parts)), picture(viewerOf(server)))
        const viewer = newViewState()
        for (const part of keyframe(server, parts).slice(0, -1)) {
          applyFrame(viewer, part)
          assert.equal(viewer.epoch, 0)
        }
      }),
    )
  })

  test("[K2] a part out of order, repeated, or of another keyframe is a gap", () => {
    const server = newServer()
    const [first, second, third] = keyframe(server, 3) as [Snap, Snap, Snap]
    const viewer = newViewState()
    assert.equal(applyFrame(viewer, second), "gap")
    assert.equal(applyFrame(viewer, first), "applied")
    assert.equal(applyFrame(viewer, third), "gap")
    assert.equal(applyFrame(viewer, { ...second, seq: second.seq + 1 }), "gap")
    assert.equal(applyFrame(viewer, { ...second, epoch: 99 }), "gap")
    assert.equal(applyFrame(viewer, second), "applied")
    assert.equal(applyFrame(viewer, third), "applied")
    assert.equal(viewer.epoch, EPOCH)
    // A new keyframe may begin at any time.
    assert.equal(applyFrame(viewer, first), "applied")
  })
})
