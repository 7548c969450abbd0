/**
 * Planted bugs: what a tired author could have written, wrapped around the real code at the places where it hands something
 * over. Each must be found by some auditor within 50 seeds (bugs.test.ts); one that is not found means that an auditor is
 * missing. A new one is a row here.
 */
import * as Effect from "effect/Effect"
import type { LiveTwin, RoundNotice } from "#engine/tenant/live-twin.ts"
import { CLOCK_BUGS } from "#lab/sim/clock-bugs.ts"
import { HISTORY_BUGS } from "#lab/sim/history-bugs.ts"
import { JUDGEMENT_BUGS } from "#lab/sim/judgement-bugs.ts"
import type { PlantedBug } from "#lab/sim/planted-bug.ts"
import { nothing, withQueries } from "#lab/sim/wrapped-db.ts"
import { decodeServer } from "#protocol/codec.ts"
import { BEHAVIOURS } from "#twin/cells.ts"
import type { Sequenced } from "#twin/input.ts"
import type { RouterMsg } from "#twin/router.ts"

/** The `nth` call of each run is the one that goes wrong; the counter begins anew with every use of the hook. */
const everyNth = (nth: number): (() => boolean) => {
  let calls = 0
  return () => ++calls % nth === 0
}

const isInsert = (sql: string): boolean => sql.includes("written as")
const isLease = (sql: string): boolean => sql.includes("into tenant_lease")
const isEndOfJournal = (sql: string): boolean => sql.startsWith("select (seq + count - 1)")

async function* noRows(): AsyncGenerator<readonly Sequenced[]> {}

const withNotices =
  (change: (notice: RoundNotice) => RoundNotice) =>
  (twin: LiveTwin): LiveTwin => ({
    ...twin,
    onRound: (listener) => twin.onRound((notice) => listener(change(notice))),
  })

const routerStep = (change: (msg: RouterMsg) => RouterMsg): typeof BEHAVIOURS => ({
  ...BEHAVIOURS,
  router: (state, msg) => BEHAVIOURS.router(state, change(msg)),
})

export const BUGS: readonly PlantedBug[] = [
  {
    name: "ack-before-commit",
    about: "the journal says durable before the database has answered",
    journal: (port) => ({
      ...port,
      append: async (batch) => void port.append(batch).catch(() => undefined),
    }),
  },
  {
    name: "input-left-out",
    about: "a batch of several inputs is stored without one of them, which is stored twice instead",
    journal: (port) => ({
      ...port,
      append: (batch) =>
        port.append(
          batch.length < 2
            ? batch
            : batch.map((entry, i) => (i === 1 ? { seq: entry.seq, input: batch[0]!.input } : entry)),
        ),
    }),
  },
  {
    name: "append-without-retry",
    about: "a commit whose answer is lost is believed to have failed, and the rows are written under the next numbers",
    db: (db) =>
      withQueries(db, (query) => {
        let failed: readonly unknown[] | null = null
        return async (sql, values = []) => {
          if (!isInsert(sql)) return query(sql, values)
          const seqs = values[3] as readonly number[]
          const isSecond = failed !== null && (failed[3] as readonly number[])[0] === seqs[0]
          failed = values
          return query(
            sql,
            isSecond
              ? values.with(
                  3,
                  seqs.map((seq) => seq + seqs.length),
                )
              : values,
          )
        }
      }),
  },
  {
    name: "journal-out-of-order",
    about: "inputs of one batch are stored in another order than they were applied in",
    journal: (port) => ({
      ...port,
      append: (batch) =>
        port.append(batch.map((entry, i) => ({ seq: entry.seq, input: batch[batch.length - 1 - i]!.input }))),
    }),
  },
  {
    name: "lost-fsync",
    about: "what was written to the spool while the database was away is not synced: a power cut takes it",
    disk: (disk) => {
      disk.syncsLie = true
    },
  },
  {
    name: "torn-tail-kept",
    about: "the row that was being written at the kill stays in the journal with damaged bytes",
    killed: ({ journal }) => {
      const last = journal.at(-1)
      if (last !== undefined) last.data.fill(0, last.data.length >> 1)
    },
  },
  {
    name: "spool-offered-again",
    about: "a start writes all that it finds in the spool, also what the journal has had since long",
    db: (db) =>
      withQueries(db, (query) => {
        let isOurs = false
        return (sql, values) => {
          isOurs ||= isLease(sql)
          return !isOurs && isEndOfJournal(sql) ? nothing : query(sql, values)
        }
      }),
  },
  {
    name: "spool-replayed-twice",
    about: "the rows of a spool are written, and once more behind themselves",
    db: (db) =>
      withQueries(db, (query) => {
        let [isOurs, asked, isSpool] = [false, 0, false]
        return async (sql, values = []) => {
          isOurs ||= isLease(sql)
          // The first one after the lease is the start's own.
          if (isEndOfJournal(sql)) isSpool = !isOurs || asked++ > 0
          if (!isInsert(sql) || !isSpool) return query(sql, values)
          isSpool = false
          const seqs = values[3] as readonly number[]
          const answer = await query(sql, values)
          const later = seqs.map((seq) => seq + seqs.length)
          await query(sql, values.with(3, later))
          return answer
        }
      }),
  },
  {
    name: "epoch-fence-ignored",
    about: "an engine that was fenced off writes under the epoch of the one that has the tenant",
    ghost: (db, epoch) =>
      withQueries(db, (query) => async (sql, values = []) => {
        const answer = await query(sql, values.with(1, epoch))
        return { ...answer, rows: answer.rows.map((row) => ("epoch" in row ? { ...row, epoch: epoch - 1 } : row)) }
      }),
  },
  {
    name: "events-of-another-tenant",
    about: "one writer of events for all tenants writes into the table of the first",
    appendEvents: (events, _write, elsewhere) => elsewhere(events),
  },
  {
    name: "frame-of-another-tenant",
    about: "one in six viewers is put into the stream of the first tenant",
    hubOf: (tenant, lot) => (lot < 1 / 6 ? 0 : tenant),
  },
  {
    name: "fleet-not-told",
    about: "the collectors go on with the inventory of before a change",
    fleetStays: true,
  },
  {
    name: "change-loses-timers",
    about: "after a change of the inventory the running twin has forgotten when its routers will be stale",
    liveSteps: () => ({
      ...BEHAVIOURS,
      router: (state, msg) => {
        const next = BEHAVIOURS.router(state, msg)
        return msg.kind === "configure" ? { ...next, timerMs: null } : next
      },
    }),
  },
  {
    name: "restart-from-stale-state",
    about: "a supervisor that restarts a tenant takes the snapshot for all there is",
    journal: (port, { starts, database, tenancy }) => {
      const stale = starts > 1 ? database.tables(tenancy.info.id).snapshots.at(-1) : undefined
      if (stale === undefined) return port
      return { ...port, readFrom: noRows, lastSeq: async () => stale.seq }
    },
  },
  {
    name: "snapshot-too-old",
    about: "a snapshot is stored under a later seq than it was taken at: the tail in between is not folded",
    snapshots: (port, { database, tenancy }) => ({
      ...port,
      save: (_seq, atMs, blob, hash) => port.save(database.tables(tenancy.info.id).lastSeq(), atMs, blob, hash),
    }),
  },
  {
    name: "tail-not-folded",
    about: "a start believes the snapshot and skips the first rows of the journal's tail",
    journal: (port) => ({
      ...port,
      async *readFrom(seq) {
        for await (const batch of port.readFrom(seq)) if (seq === 1 || batch[0]!.seq > seq + 4) yield batch
      },
    }),
  },
  {
    name: "event-table-forgets",
    about: "a write of events that failed is not tried again",
    appendEvents: (events, write) => write(events).catch(() => undefined),
  },
  {
    name: "recovered-events-forgotten",
    about: "events of the folded tail are not written after a start",
    recoveredEvents: () => [],
    eventTwin: (twin) => ({ ...twin, recentEvents: () => [] }),
  },
  {
    name: "event-told-twice",
    about: "the writer of events gives an event a new id when it writes it again",
    appendEvents: (events, write) =>
      write(events).catch(() => write(events.map((event) => ({ ...event, id: `${event.id}0` })))),
  },
  {
    name: "delta-forgets-a-link",
    about: "the stream leaves out the last changed link of a round",
    stream: withNotices((notice) =>
      notice.topologyChanged ? notice : { ...notice, links: notice.links.slice(0, -1) },
    ),
  },
  {
    name: "delta-forgets-events",
    about: "of two or more events of a round the stream tells the first",
    stream: withNotices((notice) => ({ ...notice, events: notice.events.slice(0, 1) })),
  },
  {
    name: "epoch-not-raised",
    about: "after a restart the twin has the epoch of before: old places look valid",
    stream: (twin) => ({
      ...twin,
      epoch: () => 1,
      onRound: (listener) => twin.onRound((notice) => listener({ ...notice, epoch: 1 })),
    }),
  },
  {
    name: "frame-lost",
    about: "one in forty deltas never reaches the viewer",
    frame: () => {
      const isLost = everyNth(40)
      return (bytes) => (decodeServer(bytes).kind === "DELTA" && isLost() ? null : bytes)
    },
  },
  {
    name: "slow-viewer-queued",
    about: "the stream does not look at what waits for a viewer that reads slowly",
    deafSockets: true,
  },
  {
    name: "inbox-without-bound",
    about: "the inbox never pushes back",
    eventsMax: Number.POSITIVE_INFINITY,
  },
  {
    name: "pushed-back-event-dropped",
    about: "a listener that is refused by a full inbox does not offer the event again, but counts it as taken",
    submit: (submit) => (input) => submit(input) || input.kind === "trap" || input.kind === "syslog",
  },
  {
    name: "trap-handed-in-twice",
    about: "every tenth trap is put into the inbox twice",
    submit: (submit) => {
      const isTwice = everyNth(10)
      return (input) => {
        const taken = submit(input)
        if (input.kind === "trap" && taken && isTwice()) submit(input)
        return taken
      }
    },
  },
  {
    name: "clock-follows-the-wall",
    about: "the time of the twin is the machine's clock, held still when that goes back",
    clock: ({ wakeAt }, wallMs) => {
      let newest = 0
      return { nowMs: () => (newest = Math.max(newest, wallMs())), wakeAt }
    },
  },
  {
    name: "silence-not-told",
    about: "failed polls are not handed in: a router is never seen to be silent",
    submit: (submit) => (input) => input.kind === "unreachable" || submit(input),
  },
  {
    name: "breaker-stays-open",
    about: "a collector that failed once gives up its device",
    collector: (collector) => ({
      ...collector,
      open: (target) => {
        const opened = collector.open(target)
        if (opened === null) return null
        let failed = false
        return Effect.map(opened, (poller) => ({
          poll: (deadlineMs) =>
            failed
              ? Effect.never
              : Effect.tapError(poller.poll(deadlineMs), () =>
                  Effect.sync(() => {
                    failed = true
                  }),
                ),
        }))
      },
    }),
  },
  {
    name: "poll-state-too-old",
    about: "states that a poll read are taken for an hour older than they are: a trap before it wins",
    steps: () =>
      routerStep((msg) =>
        msg.kind === "input" && msg.input.kind === "poll"
          ? { ...msg, input: { ...msg.input, startedMs: msg.input.startedMs - 3_600_000 } }
          : msg,
      ),
  },
  {
    name: "link-up-ignored",
    about: "a link that was down stays down for ever",
    steps: () => ({
      ...BEHAVIOURS,
      link: (state, msg) => {
        const next = BEHAVIOURS.link(state, msg)
        return state.status.health === "down" && next.state.status.health === "ok"
          ? { ...next, state, deltas: [], facts: [], events: [] }
          : next
      },
    }),
  },
  {
    name: "live-only-state",
    about: "the running twin keeps something that its journal does not tell",
    liveSteps: () => {
      let polls = 0
      return {
        ...BEHAVIOURS,
        router: (state, msg) => {
          const next = BEHAVIOURS.router(state, msg)
          return msg.kind === "input" && ++polls > 200
            ? { ...next, state: { ...next.state, refused: next.state.refused + 1 } }
            : next
        },
      }
    },
  },
  {
    name: "octets-as-bits",
    about: "rates are eight times too small",
    steps: () => {
      const eighth = BEHAVIOURS.link
      return {
        ...BEHAVIOURS,
        link: (state, msg) => {
          const next = eighth(state, msg)
          const utilAB = next.state.utilAB === null ? null : next.state.utilAB / 8
          return { ...next, state: { ...next.state, utilAB } }
        },
      }
    },
  },
  {
    name: "reboot-on-every-boot-trap",
    about: "each coldStart, doubled ones too, is a reboot of its own",
    steps: () => ({
      ...BEHAVIOURS,
      router: (state, msg) =>
        BEHAVIOURS.router(
          msg.kind === "input" && msg.input.kind === "trap" && msg.input.trap === "coldStart"
            ? { ...state, bootMs: null }
            : state,
          msg,
        ),
    }),
  },
  ...JUDGEMENT_BUGS,
  ...HISTORY_BUGS,
  ...CLOCK_BUGS,
]

export const bugNamed = (name: string): PlantedBug | null => BUGS.find((bug) => bug.name === name) ?? null
