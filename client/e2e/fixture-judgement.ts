/**
 * The fixture's judgement: alerts with their explanations, rules, dry runs and maintenance, in a small memory behind the
 * REST contracts, so that the screens can be driven without the engine. Tests only: nothing here is judged.
 */
import { DONE, ok, problem } from "#client/e2e/fixture-doors.ts"
import type { Reply, Table } from "#client/e2e/fixture-doors.ts"
import { dryRun, FIXTURE_RULES, mistakesOf } from "#client/e2e/fixture-rules.ts"
import type { FixtureNetwork } from "#client/e2e/fixture-network.ts"
import { alertId, alertNameOf } from "#protocol/alert.ts"
import type {
  Alert,
  AlertRule,
  AlertRuleRow,
  Explanation,
  MaintenanceRow,
  MaintenanceWindow,
  Observation,
} from "#protocol/rest-generated.ts"

const MINUTE = 60_000
const HOUR = 60 * MINUTE

export interface Judgement {
  readonly table: Table
  /** Replaces the alerts; the stream tells of it with an `alert.*` event. */
  readonly setAlerts: (next: readonly Alert[]) => void
  readonly alerts: () => readonly Alert[]
  /** Somebody else writes a rule. */
  readonly touch: (id: string) => void
  readonly windows: () => readonly MaintenanceWindow[]
}

export const makeJudgement = (network: FixtureNetwork, nowMs: number): Judgement => {
  let alerts = manyAlerts(network, nowMs, 24)
  const rows = new Map<string, { rule: AlertRule; rev: number; origin: string; by: string | null }>(
    FIXTURE_RULES.map((one) => [one.id, { rule: { ...one }, rev: 1, origin: "pack:fixture", by: null }]),
  )
  const windows = new Map<string, MaintenanceWindow>(planned(network, nowMs).map((one) => [one.id, one]))
  const alertOf = (id: string) => alerts.find((one) => one.id === id)
  const change = (id: string, part: Partial<Alert>): Reply => {
    const known = alertOf(id)
    if (known === undefined) return problem(404, "not-found")
    const next = { ...known, ...part }
    alerts = alerts.map((one) => (one.id === id ? next : one))
    return ok(next)
  }
  const rowOf = (id: string): AlertRuleRow | null => {
    const known = rows.get(id)
    if (known === undefined) return null
    const mine = alerts.filter((one) => one.rule === id)
    return {
      rule: known.rule,
      version: `v${known.rev}-${id}`,
      origin: known.origin,
      updatedAtMs: known.by === null ? null : nowMs,
      updatedBy: known.by,
      pending: mine.filter(({ state }) => state === "pending").length,
      firing: mine.filter(({ state }) => state !== "pending").length,
    }
  }
  const put = (id: string, body: AlertRule, by: string): Reply => {
    const mistakes = mistakesOf(body)
    if (mistakes.length > 0) return problem(422, "rule-invalid", { mistakes })
    const rev = (rows.get(id)?.rev ?? 0) + 1
    const origin = FIXTURE_RULES.some((one) => one.id === id) ? "changed" : "own"
    rows.set(id, { rule: body, rev, origin, by })
    return ok(rowOf(id), { etag: `"${rev}"` })
  }
  const windowRow = (window: MaintenanceWindow): MaintenanceRow => {
    const next = occurrences(window, 0, nowMs + 90 * 24 * HOUR).find(({ toMs }) => toMs > Date.now()) ?? null
    return { window, active: next !== null && next.fromMs <= Date.now(), next, updatedAtMs: nowMs, updatedBy: "admin" }
  }
  const ofWindow = (id: string, run: (window: MaintenanceWindow) => Reply): Reply => {
    const window = windows.get(id)
    return window === undefined ? problem(404, "not-found") : run(window)
  }
  const table: Table = [
    ["GET", /^\/alerts$/, () => ok({ items: alerts, next: null, counts: {} })],
    ["GET", /^\/alerts\/([^/]+)\/explain$/, (_ask, [id = ""]) => explained(network, alertOf(id), id)],
    ["GET", /^\/alerts\/([^/]+)\/receipt$/, (_ask, [id = ""]) => ok({ receipt: 1, alert: id })],
    [
      "PUT",
      /^\/alerts\/([^/]+)\/ack$/,
      ({ body, user }, [id = ""]) => {
        const untilMs = Date.now() + Number(body["minutes"] ?? 240) * MINUTE
        const ack = { by: user, atMs: Date.now(), untilMs }
        return change(id, { ack, heldBack: { by: "ack", reason: `taken by ${user}`, untilMs } })
      },
    ],
    ["DELETE", /^\/alerts\/([^/]+)\/ack$/, (_ask, [id = ""]) => (change(id, { ack: null, heldBack: null }), DONE)],
    [
      "PUT",
      /^\/alerts\/([^/]+)\/mute$/,
      ({ body }, [id = ""]) => {
        const untilMs = Date.now() + Number(body["minutes"]) * MINUTE
        change(id, { heldBack: { by: "mute", reason: String(body["note"]), untilMs } })
        return ok({ window: "w-mute", untilMs })
      },
    ],
    ["DELETE", /^\/alerts\/([^/]+)\/mute$/, (_ask, [id = ""]) => (change(id, { heldBack: null }), DONE)],
    ["GET", /^\/alert-rules$/, () => ok({ items: [...rows.keys()].sort().map(rowOf), next: null })],
    [
      "GET",
      /^\/alert-rules\/packs$/,
      () => ok({ items: [{ id: "fixture", name: "Fixture", rules: FIXTURE_RULES.map(({ id }) => id) }] }),
    ],
    ["GET", /^\/alert-rules\/export$/, () => ok({ rules: [...rows.values()].map((row) => row.rule) })],
    ["POST", /^\/alert-rules\/check$/, ({ body }) => checked(body["rule"])],
    ["POST", /^\/alert-rules\/dry-run$/, ({ body }) => ok(dryRun(network, body))],
    [
      "POST",
      /^\/alert-rules\/import$/,
      ({ body, user }) => {
        const rules = body["rules"] as readonly AlertRule[]
        const ids = rules.map((one) => String(one["id"]))
        const mistakes = rules.flatMap((one, nth) =>
          mistakesOf(one).map(({ path, problem: text }) => ({ path: `rules[${nth}].${path}`, problem: text })),
        )
        if (mistakes.length > 0) return problem(422, "rule-invalid", { mistakes })
        const [added, changed] = [ids.filter((id) => !rows.has(id)), ids.filter((id) => rows.has(id))]
        if (body["dryRun"] !== true) for (const one of rules) put(String(one["id"]), one, user)
        return ok({ dryRun: body["dryRun"] === true, added, changed, removed: [], unchanged: 0 })
      },
    ],
    [
      "GET",
      /^\/alert-rules\/([^/]+)$/,
      (_ask, [id = ""]) => {
        const row = rowOf(id)
        return row === null ? problem(404, "not-found") : ok(row, { etag: `"${rows.get(id)?.rev}"` })
      },
    ],
    [
      "PUT",
      /^\/alert-rules\/([^/]+)$/,
      ({ body, user, ifMatch }, [id = ""]) => {
        const known = rows.get(id)
        if (ifMatch !== null && known !== undefined && ifMatch !== `"${known.rev}"`) return problem(412, "changed")
        return put(id, body, user)
      },
    ],
    ["DELETE", /^\/alert-rules\/([^/]+)$/, (_ask, [id = ""]) => (rows.delete(id) ? DONE : problem(404, "not-found"))],
    [
      "GET",
      /^\/maintenance$/,
      ({ query }) => {
        const all = [...windows.values()].map(windowRow)
        const items = query.get("when") === "current" ? all.filter(({ next }) => next !== null) : all
        return ok({ items, next: null })
      },
    ],
    [
      "GET",
      /^\/maintenance\/calendar$/,
      ({ query }) => {
        const [from, to] = [Number(query.get("from")), Number(query.get("to"))]
        const items = [...windows.values()].flatMap((one) =>
          occurrences(one, from, to).map((span) => ({ window: one.id, ...span })),
        )
        return ok({
          items: items.sort((a, b) => a.fromMs - b.fromMs),
          windows: [...windows.values()],
          truncated: false,
        })
      },
    ],
    [
      "GET",
      /^\/maintenance\/([^/]+)$/,
      (_ask, [id = ""]) => ofWindow(id, (one) => ok(windowRow(one), { etag: '"1"' })),
    ],
    [
      "POST",
      /^\/maintenance$/,
      ({ body }) => {
        const window = { id: `w-${windows.size + 1}`, ...body } as unknown as MaintenanceWindow
        const made = window.kind === "change" ? { ...window, changeState: "planned" as const } : window
        windows.set(made.id, made)
        return ok(windowRow(made))
      },
    ],
    [
      "PUT",
      /^\/maintenance\/([^/]+)$/,
      ({ body }, [id = ""]) =>
        ofWindow(id, (one) => {
          const next = { ...one, ...body } as MaintenanceWindow
          windows.set(id, next)
          return ok(windowRow(next))
        }),
    ],
    [
      "DELETE",
      /^\/maintenance\/([^/]+)$/,
      (_ask, [id = ""]) => (windows.delete(id) ? DONE : problem(404, "not-found")),
    ],
    [
      "POST",
      /^\/maintenance\/([^/]+)\/state$/,
      ({ body }, [id = ""]) =>
        ofWindow(id, (one) => {
          const next = { ...one, changeState: body["state"] } as MaintenanceWindow
          windows.set(id, next)
          return ok(windowRow(next))
        }),
    ],
    [
      "POST",
      /^\/maintenance\/([^/]+)\/end$/,
      (_ask, [id = ""]) =>
        ofWindow(id, (one) => {
          const next = { ...one, durationSeconds: Math.max(60, Math.floor((Date.now() - one.startsAtMs) / 1_000)) }
          windows.set(id, next)
          return ok(windowRow(next))
        }),
    ],
  ]
  return {
    table,
    setAlerts: (next) => (alerts = [...next]),
    alerts: () => alerts,
    touch: (id) => {
      const known = rows.get(id)
      if (known !== undefined) rows.set(id, { ...known, rev: known.rev + 1, by: "somebody" })
    },
    windows: () => [...windows.values()],
  }
}

/** Enough of every kind to see the list: severities, states, reasons to be held back. */
export const manyAlerts = (network: FixtureNetwork, nowMs: number, count: number): readonly Alert[] => {
  const summaries = [
    ["cpu-high", "CPU busy", "", "CPU of {d} is at 97 %"],
    ["ospf-not-full", "OSPF neighbour not Full", "ospf:10.255.0.3", "OSPF neighbour 10.255.0.3 of {d} is not Full"],
    ["interface-flap", "Interface flaps", "if:sfp28-2", "sfp28-2 of {d} changed 7 times in ten minutes"],
    ["device-unreachable", "Device unreachable", "", "{d} does not answer"],
    ["congestion", "Congestion", "if:sfp28-1", "sfp28-1 of {d} is congested: full, and the round trip has risen"],
    ["optical-rx-low", "Optical power low", "if:sfp28-1", "sfp28-1 of {d} receives -25.4 dBm"],
  ] as const
  const held = [null, null, null, "maintenance", "dependency", null, "mute", null, null, "flap"] as const
  const severities = ["critical", "warn", "warn", "critical", "critical", "info"] as const
  const states = ["firing", "firing", "pending", "firing", "recovering"] as const
  if (network.nodes.id.length === 0) return []
  return Array.from({ length: count }, (_, nth): Alert => {
    const slot = (nth * 7) % network.nodes.id.length
    const [id, name, entity, text] = summaries[nth % summaries.length] ?? summaries[0]
    const device = network.nodes.id[slot] as string
    const deviceName = network.nodes.name[slot] as string
    const by = held[nth % held.length] ?? null
    const sinceMs = nowMs - (nth + 1) * 97_000
    const state = states[nth % states.length] ?? "firing"
    const place = `${entity}${nth >= summaries.length * network.nodes.id.length ? `-${nth}` : ""}`
    return {
      id: alertId({ device, rule: id, entity: place }),
      rule: id,
      ruleName: name,
      version: `v1-${id}`,
      device,
      deviceName,
      site: network.sites.id[network.nodes.site[slot] as number] as string,
      entity: place,
      state,
      severity: severities[nth % severities.length] ?? "warn",
      sinceMs,
      firedMs: state === "pending" ? null : sinceMs,
      knownMs: nowMs - 4_000,
      flapping: by === "flap",
      ack: nth === 9 ? { by: "ana", atMs: nowMs - MINUTE, untilMs: nowMs + 3 * HOUR } : null,
      heldBack: by === null ? null : { by, reason: "fibre works at the POP, ticket 4711", untilMs: nowMs + HOUR },
      summary: text.replace("{d}", deviceName),
      runbook: `docs/runbooks/${id}.md`,
    }
  })
}

const explained = (network: FixtureNetwork, alert: Alert | undefined, id: string): Reply => {
  const name = alertNameOf(id)
  if (name === null || !network.nodes.id.includes(name.device)) return problem(404, "not-found")
  const known = FIXTURE_RULES.find((one) => one.id === name.rule)
  if (known === undefined) return ok({ explanation: null, reason: "there is no such rule" })
  if (!known.enabled) return ok({ explanation: null, reason: "the rule is off" })
  const now = Date.now()
  const cpu = (value: number): Observation => ({
    type: "threshold",
    truth: value > 85 ? "true" : "false",
    metric: "device.cpu_pct",
    unit: "%",
    value,
    operator: ">",
    threshold: 85,
    text: `avg of device.cpu_pct over 600 s: ${value} %, asked > 85`,
    samples: Array.from(
      { length: 20 },
      (_, nth) => [now - (20 - nth) * 30_000, value - 16 + nth + Math.sin(nth) * 3] as const,
    ),
  })
  const rtt: Observation = {
    type: "threshold",
    truth: alert === undefined ? "unknown" : "true",
    metric: "probe.ping.rtt_ms",
    unit: "ms",
    value: alert === undefined ? null : 141.2,
    operator: ">",
    threshold: 80,
    text: "p95 of probe.ping.rtt_ms over 300 s: 141.2 ms, asked > 80",
    samples: Array.from({ length: 20 }, (_, nth) => [now - (20 - nth) * 15_000, 60 + nth * 4.2] as const),
  }
  const condition: Observation =
    known.condition.type === "composite"
      ? {
          type: "composite",
          truth: "true",
          text: "and of true, true",
          parts: [cpu(alert === undefined ? 41 : 97), rtt],
        }
      : cpu(alert === undefined ? 41 : 97)
  const explanation: Explanation = {
    atMs: now - 2_000,
    rule: known.id,
    version: "4f1c9a20b7d3e615",
    name: known.name,
    device: name.device,
    entity: name.entity,
    state: alert?.state ?? "ok",
    sinceMs: alert?.sinceMs ?? null,
    severity: alert?.severity ?? null,
    forSeconds: known.for_seconds,
    recoverSeconds: known.recover_seconds,
    condition,
    recover: known.recover === undefined ? null : { ...cpu(97), operator: "<", threshold: 75, truth: "false" },
    scope: "its scope is everything",
    heldBack: alert?.heldBack ?? null,
    summary: alert?.summary ?? known.name,
    because:
      alert === undefined
        ? "it does not fire: avg of device.cpu_pct over 600 s: 41 %, asked > 85"
        : "it fires: avg of device.cpu_pct over 600 s: 97 %, asked > 85",
    runbook: known.annotations.runbook_url,
  }
  return ok({ explanation, reason: null })
}

const checked = (given: unknown): Reply => {
  const mistakes = mistakesOf(given)
  return ok({ mistakes, version: mistakes.length > 0 ? null : "5a2d" })
}

const planned = (network: FixtureNetwork, nowMs: number): readonly MaintenanceWindow[] => {
  const day = Math.floor(nowMs / (24 * HOUR)) * 24 * HOUR
  const base = {
    note: "",
    scope: {},
    sparesCritical: true,
    recurrence: { every: "never" as const },
    timeZone: "America/Sao_Paulo",
    untilMs: null,
  }
  const sites = { scope: { by_site_ids: [network.sites.id[0] ?? "sap"] } }
  return [
    {
      ...base,
      ...sites,
      id: "w-1",
      kind: "maintenance",
      title: "Troca de fibra Campinas",
      note: "Chamado 4711",
      startsAtMs: day + 5 * HOUR,
      durationSeconds: 3 * 3_600,
    },
    {
      ...base,
      id: "w-2",
      kind: "maintenance",
      title: "Backup dos núcleos",
      recurrence: { every: "day" },
      startsAtMs: day - 10 * 24 * HOUR + 6 * HOUR,
      durationSeconds: 3_600,
      scope: { by_roles: ["core"] },
    },
    {
      ...base,
      ...sites,
      id: "w-3",
      kind: "change",
      title: "RouterOS 7.20 na borda",
      startsAtMs: day + 26 * HOUR,
      durationSeconds: 4 * 3_600,
      changeState: "planned",
      sparesCritical: false,
    },
    {
      ...base,
      id: "w-4",
      kind: "mute",
      title: "Óptica conhecida",
      rule: "optical-rx-low",
      startsAtMs: nowMs - HOUR,
      durationSeconds: 9 * 3_600,
      scope: { by_device_ids: [network.nodes.id[2] ?? "none"] },
    },
    {
      ...base,
      id: "w-5",
      kind: "maintenance",
      title: "Obra do POP",
      startsAtMs: day - 30 * HOUR,
      durationSeconds: 70 * 3_600,
      scope: { by_tags: ["gold"] },
    },
  ]
}

/** As the engine's, without time zones: enough for pictures. */
const occurrences = ({ startsAtMs, durationSeconds, recurrence }: MaintenanceWindow, from: number, to: number) => {
  const step = { never: 0, day: 24 * HOUR, week: 7 * 24 * HOUR, month: 30 * 24 * HOUR }[recurrence.every]
  const spans: { fromMs: number; toMs: number }[] = []
  for (let at = startsAtMs; at < to && spans.length < 100; at += step) {
    const end = at + durationSeconds * 1_000
    if (end > from) spans.push({ fromMs: at, toMs: end })
    if (step === 0) break
  }
  return spans
}
