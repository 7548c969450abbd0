/**
 * Planted bugs of judgement and of what people do: rules, silences, acknowledgements, acts on incidents, and incidents that
 * nobody's fault explains. As in bugs.ts, each is what a tired author could have written.
 */
import { BUSY_RULE } from "#lab/sim/people.ts"
import type { PlantedBug } from "#lab/sim/planted-bug.ts"
import { BEHAVIOURS } from "#twin/cells.ts"
import type { Sequenced } from "#twin/input.ts"
import type { RouterMsg, RouterState } from "#twin/router.ts"
import type { Happening } from "#twin/step.ts"

/** One in so many messages to a router. */
const isOneIn = (many: number, { atMs }: RouterMsg): boolean => atMs % many === 0

const forgotten = (kind: Sequenced["input"]["kind"], batch: readonly Sequenced[]): readonly Sequenced[] =>
  batch.map((entry) =>
    entry.input.kind === kind ? { seq: entry.seq, input: { kind: "tick", atMs: entry.input.atMs } } : entry,
  )

const withEvents =
  (change: (events: readonly Happening[], state: RouterState, msg: RouterMsg) => readonly Happening[]) =>
  (): typeof BEHAVIOURS => ({
    ...BEHAVIOURS,
    router: (state, msg) => {
      const next = BEHAVIOURS.router(state, msg)
      return { ...next, events: change(next.events, state, msg) }
    },
  })

const told = (what: Partial<Happening>, atMs: number): Happening => ({
  atMs,
  type: "",
  severity: "warning",
  subject: "",
  subjectKind: "tenant",
  entity: "",
  old: null,
  new: null,
  raw: null,
  source: "twin",
  ...what,
})

const isPoll = (msg: RouterMsg): boolean => msg.kind === "input" && msg.input.kind === "poll"

export const JUDGEMENT_BUGS: readonly PlantedBug[] = [
  {
    name: "acknowledgement-not-kept",
    about: "an acknowledgement is answered and applied, and is no row of the journal",
    journal: (port) => ({ ...port, append: (batch) => port.append(forgotten("ack", batch)) }),
  },
  {
    name: "acknowledged-too-early",
    about: "somebody is told that an acknowledgement stands before it is durable",
    judgement: (judgement) => ({
      ...judgement,
      acknowledge: async (...ack) => {
        void judgement.acknowledge(...ack).catch(() => undefined)
        return true
      },
    }),
  },
  {
    name: "incident-act-not-kept",
    about: "the same of notes, assignments and ends of incidents",
    journal: (port) => ({ ...port, append: (batch) => port.append(forgotten("incident", batch)) }),
  },
  {
    name: "silences-not-folded",
    about: "a start folds the tail of the journal without the changes of silences in it",
    journal: (port) => ({
      ...port,
      async *readFrom(seq) {
        for await (const batch of port.readFrom(seq)) yield forgotten("silences", batch)
      },
    }),
  },
  {
    name: "silence-ignored",
    about: "maintenance and mutes stand in the list, and people are told all the same",
    steps: () => ({
      ...BEHAVIOURS,
      router: (state, msg) =>
        BEHAVIOURS.router(
          state,
          "judge" in msg && msg.judge !== null && msg.judge !== undefined
            ? { ...msg, judge: { ...msg.judge, silences: [] } }
            : msg,
        ),
    }),
  },
  {
    name: "acknowledgement-ignored",
    about: "an acknowledgement is journaled, and the alert does not know of it",
    steps: () => ({
      ...BEHAVIOURS,
      router: (state, msg) =>
        BEHAVIOURS.router(
          state,
          msg.kind === "command" && msg.command.kind === "ack"
            ? {
                ...msg,
                command: {
                  kind: "unack",
                  atMs: msg.command.atMs,
                  rule: msg.command.rule,
                  entity: msg.command.entity,
                },
              }
            : msg,
        ),
    }),
  },
  {
    name: "new-rules-forget-alerts",
    about: "a change of the rules lets every alert begin anew",
    steps: () => ({
      ...BEHAVIOURS,
      router: (state, msg) => BEHAVIOURS.router(msg.kind === "judge" ? { ...state, judgement: null } : state, msg),
    }),
  },
  {
    name: "alert-lost",
    about: "one in five alerts begins or ends without a word",
    steps: withEvents((events, _state, msg) =>
      isOneIn(5, msg) ? events.filter(({ type }) => !type.startsWith("alert.")) : events,
    ),
  },
  {
    name: "alert-invented",
    about: "one in a hundred polls is told as an alert",
    steps: withEvents((events, { config: { device } }, msg) =>
      isPoll(msg) && isOneIn(100, msg)
        ? [
            ...events,
            told(
              { type: "alert.firing", subject: device, subjectKind: "device", old: BUSY_RULE, new: "firing" },
              msg.atMs,
            ),
          ]
        : events,
    ),
  },
  {
    name: "congestion-invented",
    about: "an incident tells of congestion, and no link is full",
    steps: withEvents((events, { config: { device } }, msg) =>
      isPoll(msg) && isOneIn(17, msg)
        ? [
            ...events,
            told({ type: "incident.opened", new: "open", raw: `Congestion of the link of ${device}` }, msg.atMs),
          ]
        : events,
    ),
  },
  {
    name: "incident-out-of-nothing",
    about: "an incident that was never opened is said to be over",
    steps: withEvents((events, _state, msg) =>
      isPoll(msg) && isOneIn(17, msg)
        ? [...events, told({ type: "incident.closed", entity: "0-0", new: "closed" }, msg.atMs)]
        : events,
    ),
  },
]
