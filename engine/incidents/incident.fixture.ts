/** Incidents for tests: a plain one, and any that the types allow, with hostile words in every string. */
import fc from "fast-check"
import { hostileText } from "#engine/tenant/network.fixture.ts"
import {
  FAULT_TYPES,
  INCIDENT_ACTIONS,
  INCIDENT_STATES,
  STANDINGS,
  type CauseMember,
  type IncidentView,
} from "#protocol/incident.ts"
import { ALERT_SEVERITIES } from "#protocol/rule.ts"

export const LINK: CauseMember = { fault: "link", kind: "link", id: "l1", name: "r1:e1 – r2:e1" }
export const ROUTER: CauseMember = { fault: "router", kind: "device", id: "r1", name: "router r1" }

/** Closed, of a link between r1 (site a) and r2 (site b), an hour after 1,000,000 ms. */
export const incident = (change: Partial<IncidentView> = {}): IncidentView => ({
  id: "10-0",
  title: "Link r1:e1 – r2:e1 is cut",
  state: "closed",
  severity: "warn",
  startsAtMs: 1_000_000,
  endsAtMs: 4_600_000,
  updatedAtMs: 4_900_000,
  alerts: 2,
  suppressed: 1,
  ack: null,
  assignee: null,
  escalated: false,
  during: null,
  causes: [
    {
      members: [LINK],
      confidence: 0.97,
      rank: "primary",
      because: "It explains 2 alarms.",
      evidence: [
        {
          kind: "port",
          standing: "for",
          atMs: 1_000_000,
          device: "r1",
          entity: "if:e1",
          text: "port e1 of r1 is down",
        },
        {
          kind: "port",
          standing: "for",
          atMs: 1_000_000,
          device: "r2",
          entity: "if:e1",
          text: "port e1 of r2 is down",
        },
      ],
      sinceMs: 1_000_000,
    },
  ],
  impact: { sites: ["b"], devices: ["r2"], links: ["l1"], services: ["dns"], subscribers: null, subscribersPart: null },
  symptoms: [
    {
      alert: "r1 port if:e1",
      device: "r1",
      deviceName: "router r1",
      entity: "if:e1",
      summary: "port down",
      sinceMs: 1_000_000,
      explainedBy: 0,
      why: "explained by the link",
    },
  ],
  timeline: [{ atMs: 1_000_000, action: "opened", by: "", text: "Link is cut", device: "r1" }],
  confirmed: null,
  probing: [],
  ...change,
})

const ms = fc.integer({ min: 0, max: 4_000_000_000_000 })
const share = fc.double({ min: 0, max: 1, noNaN: true })
const orNull = <T>(some: fc.Arbitrary<T>) => fc.option(some, { nil: null })
const few = <T>(some: fc.Arbitrary<T>) => fc.array(some, { maxLength: 3 })
const ID = fc.constantFrom("r1", "r2", "l1", "a", "b", "gone")

export const anyMember: fc.Arbitrary<CauseMember> = fc.record(
  {
    fault: fc.constantFrom(...FAULT_TYPES),
    kind: fc.constantFrom("device", "link", "site", "srlg", "interface"),
    id: ID,
    entity: hostileText,
    name: hostileText,
  },
  { requiredKeys: ["fault", "kind", "id", "name"] },
)
export const anyVerdict = fc.record({
  fault: orNull(fc.constantFrom(...FAULT_TYPES)),
  confidence: orNull(share),
  isRight: fc.boolean(),
})

/** As JSON has it: no null prototypes, no -0. */
export const plain = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T

const anything = fc.record({
  id: fc.tuple(fc.nat(10_000), fc.nat(9)).map(([seq, index]) => `${seq}-${index}`),
  title: hostileText,
  state: fc.constantFrom(...INCIDENT_STATES),
  severity: fc.constantFrom(...ALERT_SEVERITIES),
  startsAtMs: ms,
  endsAtMs: orNull(ms),
  updatedAtMs: ms,
  alerts: fc.nat(2_000),
  suppressed: fc.nat(2_000),
  ack: orNull(fc.record({ by: hostileText, atMs: ms, untilMs: ms })),
  assignee: orNull(hostileText),
  escalated: fc.boolean(),
  during: orNull(fc.constantFrom("maintenance", "change")),
  causes: few(
    fc.record({
      members: few(anyMember),
      confidence: share,
      rank: fc.constantFrom("primary", "contributing"),
      because: hostileText,
      evidence: few(
        fc.record({
          kind: hostileText,
          standing: fc.constantFrom(...STANDINGS),
          atMs: orNull(ms),
          device: orNull(ID),
          entity: hostileText,
          text: hostileText,
        }),
      ),
      sinceMs: ms,
    }),
  ),
  impact: fc.record({
    sites: few(fc.constantFrom("a", "b")),
    devices: few(ID),
    links: few(ID),
    services: few(hostileText),
    subscribers: orNull(fc.record({ count: fc.nat(), quality: fc.constantFrom("measured", "estimated"), atMs: ms })),
    subscribersPart: orNull(share),
  }),
  symptoms: few(
    fc.record({
      alert: hostileText,
      device: ID,
      deviceName: hostileText,
      entity: hostileText,
      summary: hostileText,
      sinceMs: ms,
      explainedBy: orNull(fc.nat(2)),
      why: orNull(hostileText),
    }),
  ),
  timeline: few(
    fc.record(
      {
        atMs: ms,
        action: fc.constantFrom(...INCIDENT_ACTIONS, "event", "alert"),
        by: hostileText,
        text: hostileText,
        device: ID,
        entity: hostileText,
      },
      { requiredKeys: ["atMs", "action", "by", "text"] },
    ),
  ),
  confirmed: orNull(
    fc.record(
      { by: hostileText, atMs: ms, members: few(anyMember), note: hostileText, verdict: anyVerdict },
      { requiredKeys: ["by", "atMs", "members", "note"] },
    ),
  ),
  probing: few(fc.record({ text: hostileText, atMs: ms, answer: orNull(hostileText) })),
})

/** `id` is that of a journal place; everything else is anything. */
export const anyIncident: fc.Arbitrary<IncidentView> = anything.map((view): IncidentView => plain(view))
