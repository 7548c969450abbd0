/**
 * The fixture's incidents in a small memory behind the REST contract: causes, evidence, symptoms and a story made from the
 * fixture's own network, so that the screens can be driven without the engine. Tests only: nothing here is reasoned.
 */
import { DONE, ok, problem } from "#client/e2e/fixture-doors.ts"
import type { Reply, Table } from "#client/e2e/fixture-doors.ts"
import type { FixtureNetwork } from "#client/e2e/fixture-network.ts"
import { alertId } from "#protocol/alert.ts"
import type { CauseMember, EvidenceView, IncidentRow, IncidentView, TimelineEntry } from "#protocol/incident.ts"

const MINUTE = 60_000

export interface Incidents {
  readonly table: Table
  readonly set: (next: readonly IncidentView[]) => void
  readonly all: () => readonly IncidentView[]
}

export const makeIncidents = (): Incidents => {
  let views: readonly IncidentView[] = []
  const find = (id: string) => views.find((one) => one.id === id)
  const change = (
    id: string,
    entry: Pick<TimelineEntry, "action" | "by" | "text">,
    part: Partial<IncidentView>,
  ): Reply => {
    const known = find(id)
    if (known === undefined) return problem(404, "not-found")
    const next = { ...known, ...part, timeline: [...known.timeline, { atMs: Date.now(), ...entry }] }
    views = views.map((one) => (one.id === id ? next : one))
    return ok(next)
  }
  const table: Table = [
    [
      "GET",
      /^\/incidents$/,
      ({ query }) => {
        const wanted = query.get("state")
        const [since, until] = [Number(query.get("from") ?? 0), Number(query.get("to") ?? Number.MAX_SAFE_INTEGER)]
        const cause = query.get("cause")
        const rows = views
          .filter(({ state }) => wanted === null || state === wanted)
          .filter(({ startsAtMs, endsAtMs }) => (endsAtMs ?? until) >= since && startsAtMs <= until)
          .filter(
            ({ causes }) => cause === null || causes.some(({ members }) => members.some((one) => one.fault === cause)),
          )
          .filter((view) =>
            JSON.stringify(view)
              .toLowerCase()
              .includes((query.get("q") ?? "").toLowerCase()),
          )
          .map(rowOf)
        const from = Number(query.get("cursor") ?? 0)
        const limit = Number(query.get("limit") ?? 100)
        const next = from + limit < rows.length ? String(from + limit) : null
        return ok({ items: rows.slice(from, from + limit), next, counts: {} })
      },
    ],
    ["GET", /^\/incidents\/feedback$/, () => ok(FEEDBACK)],
    ["GET", /^\/incidents\/([^/]+)\/assignees$/, () => ok({ items: PEOPLE, next: null })],
    [
      "GET",
      /^\/incidents\/([^/]+)$/,
      (_ask, [id = ""]) => {
        const known = find(id)
        return known === undefined ? problem(404, "not-found") : ok(known)
      },
    ],
    [
      "PUT",
      /^\/incidents\/([^/]+)\/ack$/,
      ({ user }, [id = ""]) => {
        const ack = { by: user, atMs: Date.now(), untilMs: Date.now() + 240 * MINUTE }
        return change(id, { action: "acked", by: user, text: "" }, { ack })
      },
    ],
    [
      "DELETE",
      /^\/incidents\/([^/]+)\/ack$/,
      ({ user }, [id = ""]) => {
        change(id, { action: "unacked", by: user, text: "" }, { ack: null })
        return DONE
      },
    ],
    [
      "PUT",
      /^\/incidents\/([^/]+)\/assignee$/,
      ({ user, body }, [id = ""]) => {
        const assignee = body["user"] === null ? null : String(body["user"])
        return change(id, { action: "assigned", by: user, text: assignee ?? "nobody" }, { assignee })
      },
    ],
    [
      "POST",
      /^\/incidents\/([^/]+)\/notes$/,
      ({ user, body }, [id = ""]) => change(id, { action: "noted", by: user, text: String(body["text"]) }, {}),
    ],
    [
      "POST",
      /^\/incidents\/([^/]+)\/escalate$/,
      ({ user, body }, [id = ""]) =>
        change(id, { action: "escalated", by: user, text: String(body["note"]) }, { escalated: true }),
    ],
    [
      "POST",
      /^\/incidents\/([^/]+)\/close$/,
      ({ user, body }, [id = ""]) =>
        change(
          id,
          { action: "closed", by: user, text: String(body["note"]) },
          { state: "closed", endsAtMs: Date.now() },
        ),
    ],
    [
      "PUT",
      /^\/incidents\/([^/]+)\/confirmation$/,
      ({ user, body }, [id = ""]) => {
        const members = body["members"] as readonly CauseMember[]
        const confirmed = { by: user, atMs: Date.now(), members, note: String(body["note"]) }
        return change(id, { action: "confirmed", by: user, text: members[0]?.name ?? "" }, { confirmed })
      },
    ],
    [
      "GET",
      /^\/incidents\/([^/]+)\/postmortem$/,
      ({ query }, [id = ""]) => {
        const known = find(id)
        if (known === undefined) return problem(404, "not-found")
        const json = query.get("format") === "json"
        return ok({
          file: `incident-${id}.${json ? "json" : "md"}`,
          mediaType: json ? "application/json" : "text/markdown",
          text: json ? JSON.stringify(known) : `# ${known.title}\n`,
        })
      },
    ],
  ]
  return { table, set: (next) => (views = [...next]), all: () => views }
}

const PEOPLE = [{ name: "admin" }, { name: "ana" }, { name: "<b>rui</b>" }]
const FEEDBACK = {
  rows: [
    { fault: "router", from: 0.9, to: 0.95, right: 9, wrong: 1, said: 0.92 },
    { fault: "router", from: 0.99, to: 1, right: 30, wrong: 0, said: 0.993 },
    { fault: "link", from: 0.95, to: 0.99, right: 4, wrong: 6, said: 0.97 },
  ],
  confirmed: 53,
  right: 43,
  unnamed: 3,
  brier: 0.1,
  applied: true,
  shifts: [{ fault: "link", confirmations: 10, right: 4, shift: -0.1, wanted: -0.2 }],
  log: [{ atMs: Date.now(), incident: "4801-0", by: "ana", fault: "link", from: -0.05, to: -0.1 }],
}

const rowOf = (view: IncidentView): IncidentRow => {
  const { causes, impact, symptoms, timeline, confirmed, probing, ...row } = view
  const [cause] = causes
  void symptoms
  void timeline
  void confirmed
  void probing
  return {
    ...row,
    cause: cause === undefined ? null : { members: cause.members, confidence: cause.confidence },
    impact: {
      subscribers: impact.subscribers,
      subscribersPart: impact.subscribersPart,
      sites: impact.sites.length,
      devices: impact.devices.length,
    },
  }
}

/** A site's first router fails and takes everything behind it along: one incident, everything explained but one thing. */
export const siteIncident = (
  network: FixtureNetwork,
  site: number,
  nowMs: number,
  part: Partial<IncidentView> = {},
): IncidentView => {
  const { nodes, links, sites } = network
  const here = [...nodes.id.keys()].filter((slot) => nodes.site[slot] === site)
  const [head = 0, ...behind] = here
  const name = nodes.name[head] as string
  const id = nodes.id[head] as string
  const touching = [...links.id.keys()].filter((slot) => links.a[slot] === head || links.b[slot] === head)
  const outside = touching.filter((slot) => nodes.site[links.a[slot] as number] !== nodes.site[links.b[slot] as number])
  const uplink = outside[0] ?? touching[0] ?? 0
  const far = (links.a[uplink] === head ? links.b[uplink] : links.a[uplink]) as number
  const startsAtMs = nowMs - 12 * MINUTE
  const evidence: EvidenceView[] = [
    ...behind.slice(0, 9).map((slot, nth): EvidenceView => ({
      kind: "device.up",
      standing: "for",
      atMs: startsAtMs + 3_000 + nth * 700,
      device: nodes.id[slot] as string,
      entity: "",
      text: `${nodes.name[slot]} answers neither ICMP nor SNMP and has no other way`,
    })),
    {
      kind: "ospf",
      standing: "for",
      atMs: startsAtMs + 1_200,
      device: nodes.id[far] as string,
      entity: "ospf:10.255.0.3",
      text: `${nodes.name[far]} lost its OSPF neighbour ${name} (dead timer)`,
    },
    {
      kind: "syslog",
      standing: "for",
      atMs: startsAtMs - 38_000,
      device: id,
      entity: "",
      text: 'last syslog: "power supply 2 failure"',
    },
    {
      kind: "interface",
      standing: "against",
      atMs: startsAtMs + 9_000,
      device: nodes.id[far] as string,
      entity: "if:sfp28-1",
      text: `the port of ${nodes.name[far]} towards it still has light`,
    },
    { kind: "trap", standing: "missing", atMs: null, device: id, entity: "", text: "no last-gasp trap came" },
  ]
  const symptom = (slot: number, nth: number, explained: boolean) => ({
    alert: alertId({ device: nodes.id[slot] as string, rule: "device-unreachable", entity: "" }),
    device: nodes.id[slot] as string,
    deviceName: nodes.name[slot] as string,
    entity: explained ? "" : "if:sfp28-2",
    summary: explained ? `${nodes.name[slot]} does not answer` : `sfp28-2 of ${nodes.name[slot]} drops frames`,
    sinceMs: startsAtMs + nth * 700,
    explainedBy: explained ? 0 : null,
    why: explained ? `suppressed: explained by ${name} (88 %), no path around it` : null,
  })
  const stranger = (head + 11) % nodes.id.length
  return {
    id: `${4800 + site}-0`,
    title: `${name} unreachable — ${sites.name[site]}`,
    state: "open",
    severity: "critical",
    startsAtMs,
    endsAtMs: null,
    updatedAtMs: nowMs - 4_000,
    alerts: behind.length + 2,
    suppressed: behind.length,
    ack: null,
    assignee: null,
    escalated: false,
    during: null,
    causes: [
      {
        members: [
          { fault: "router", kind: "device", id, name },
          { fault: "link", kind: "link", id: links.id[uplink] as string, name: `${nodes.name[far]} ↔ ${name}` },
        ],
        confidence: 0.88,
        rank: "primary",
        because: `All ${touching.length} links of ${name} were lost within 1.4 s, and ${behind.length} devices behind it have no other way.`,
        evidence,
        sinceMs: startsAtMs - 38_000,
      },
    ],
    impact: {
      sites: [sites.id[site] as string],
      devices: here.map((slot) => nodes.id[slot] as string),
      links: touching.map((slot) => links.id[slot] as string),
      services: ["PPPoE", "DNS"],
      subscribers: { count: behind.length * 263 + 412, quality: "estimated", atMs: startsAtMs - 20_000 },
      subscribersPart: 0.043,
    },
    symptoms: [...behind.map((slot, nth) => symptom(slot, nth, true)), symptom(stranger, 5, false)],
    timeline: [
      { atMs: startsAtMs - 38_000, action: "event", by: "", text: "power supply 2 failure", device: id },
      { atMs: startsAtMs, action: "opened", by: "", text: `${behind.length + 1} devices silent within 1.4 s` },
      { atMs: startsAtMs + 4_000, action: "cause", by: "", text: `${name}, or its only link, 74 %` },
      ...[1, 2, 3].map((nth) => ({
        atMs: startsAtMs + 20_000 + nth * 15_000,
        action: "alert" as const,
        by: "",
        text: "device-unreachable fires",
        device: id,
        entity: "",
      })),
      { atMs: startsAtMs + 90_000, action: "cause", by: "", text: `${name}, or its only link, 88 %` },
      {
        atMs: startsAtMs + 5 * MINUTE,
        action: "noted",
        by: "ana",
        text: "Called the site: generator does not start. Technician on the way, 40 min.",
      },
    ],
    confirmed: null,
    probing: [
      { text: `Ping ${name} from ${nodes.name[far]}`, atMs: nowMs - 3_000, answer: null },
      { text: `Read sfp28-1 of ${nodes.name[far]} now`, atMs: nowMs - 6_000, answer: "up, -7.2 dBm" },
    ],
    ...part,
  }
}

/** A night's worth, of every kind. */
export const manyIncidents = (network: FixtureNetwork, nowMs: number, count: number): readonly IncidentView[] =>
  Array.from({ length: count }, (_, nth) => {
    const site = nth % network.sites.id.length
    const base = siteIncident(network, site, nowMs)
    const severity = (["critical", "warn", "warn", "critical", "info"] as const)[nth % 5] ?? "warn"
    const startsAtMs = nowMs - (nth + 1) * 4 * MINUTE
    const kinds = [
      base.title,
      `Packet loss 2.4 % towards ${network.sites.name[site]}`,
      `Congestion on the way to ${network.sites.name[site]}`,
    ] as const
    return {
      ...base,
      id: `${4800 + nth}-0`,
      title: kinds[nth % 3] ?? base.title,
      severity,
      startsAtMs,
      state: nth % 9 === 7 ? "recovering" : "open",
      ack: nth % 4 === 1 ? { by: "ana", atMs: nowMs - MINUTE, untilMs: nowMs + 180 * MINUTE } : null,
      assignee: nth % 6 === 5 ? "admin" : null,
      escalated: nth % 11 === 3,
      during: nth % 7 === 4 ? "maintenance" : null,
      causes:
        nth % 8 === 6 ? [] : base.causes.map((cause) => ({ ...cause, confidence: 0.55 + ((nth * 7) % 40) / 100 })),
      impact: {
        ...base.impact,
        subscribers:
          nth % 5 === 2
            ? null
            : {
                count: 6_400 - nth * 311 < 0 ? nth : 6_400 - nth * 311,
                quality: nth % 2 === 0 ? "estimated" : "measured",
                atMs: startsAtMs,
              },
      },
    }
  })
