/**
 * The people of one tenant: they change rules, plan silences, acknowledge alerts and act on incidents, all by lot, while
 * everything else goes wrong. What they decided stands with them (as in the database) and is told to the twin until it has
 * it, as engine/rules/follow.ts does; what was answered to them is told to the auditor, who holds the engine to it.
 */
import type { TenantRuntime } from "#engine/tenant/runtime.ts"
import type { Dice } from "#lab/isp/random.ts"
import type { Acts } from "#lab/sim/acts.ts"
import type { PlantedBug } from "#lab/sim/planted-bug.ts"
import { FOREVER } from "#lab/sim/loop.ts"
import type { Loop } from "#lab/sim/loop.ts"
import type { Silence, SilenceKind } from "#protocol/maintenance.ts"
import { SILENCE_KINDS } from "#protocol/maintenance.ts"
import type { Rule } from "#protocol/rule.ts"
import { isLit } from "#twin/alert/alert.ts"
import { checkRule } from "#twin/alert/check.ts"
import { PACKS } from "#twin/alert/packs/registry.ts"
import { stateHash } from "#twin/hash.ts"
import type { IncidentAct } from "#twin/incident/act.ts"

/** The rule that alerts.ts judges from scratch; it stays for ever. Of no severity that makes incidents. */
export const BUSY_RULE = "sim-busy"
/** Shipped rules whose alerts begin only while something is broken. */
const SHIPPED = [
  "device-rebooted",
  "device-no-contact",
  "device-flaps",
  "ospf-not-full",
  "ospf-flap",
  "bgp-session-down",
  "bgp-flap",
]
const SILENCES_MOST = 6
const PAUSE_MS = 20_000
const FOLLOW_AGAIN_MS = 5_000

interface PeopleParts {
  readonly loop: Loop
  readonly dice: Dice
  readonly acts: Acts
  readonly devices: () => readonly string[]
  readonly current: () => TenantRuntime | null
  /** A planted bug between them and the twin. */
  readonly judgement?: PlantedBug["judgement"] | undefined
}

export class People {
  /** Above it a processor is called busy. */
  readonly busyPct: number
  /** Nobody is in the office. */
  resting = false
  #rules: readonly Rule[]
  #silences: readonly Silence[] = []
  /** The runtime that is being told. */
  #telling: TenantRuntime | null = null
  #count = 0
  readonly #parts: PeopleParts

  constructor(parts: PeopleParts) {
    this.#parts = parts
    this.busyPct = parts.dice.pick([7.5, 10.5, 14.5])
    this.#rules = [busyRule(this.busyPct), ...this.#someShipped()]
    this.#later()
  }

  /** Tells the twin what stands, if it has something else; again when that fails. */
  follow(): void {
    const { loop, acts, current } = this.#parts
    const runtime = current()
    if (runtime === null || this.#telling === runtime) return
    const { judgement } = runtime
    const [rules, silences] = [judgement.rules(), judgement.silences()]
    const tell =
      stateHash(rules.rules) !== stateHash(this.#rules)
        ? acts.promise({ kind: "rules", rev: rules.rev + 1, rules: this.#rules }, () =>
            judgement.setRules(rules.rev + 1, this.#rules),
          )
        : stateHash(silences.silences) !== stateHash(this.#silences)
          ? acts.promise({ kind: "silences", rev: silences.rev + 1, silences: this.#silences }, () =>
              judgement.setSilences(silences.rev + 1, this.#silences),
            )
          : null
    if (tell === null) return
    this.#telling = runtime
    const done = (afterMs: number) => (): void => {
      if (this.#telling === runtime) this.#telling = null
      loop.after(afterMs, FOREVER, () => this.follow())
    }
    void tell.then(done(0), done(FOLLOW_AGAIN_MS))
  }

  #later(): void {
    const { loop, dice } = this.#parts
    loop.after(dice.int(500, PAUSE_MS), FOREVER, () => {
      const runtime = this.#parts.current()
      if (runtime !== null && !this.resting) this.#doSomething(runtime)
      this.follow()
      this.#later()
    })
  }

  #doSomething(runtime: TenantRuntime): void {
    const lot = this.#parts.dice.next()
    if (lot < 0.35) this.#acknowledge(runtime)
    else if (lot < 0.6) this.#silence(runtime.inside().world.atMs)
    else if (lot < 0.7) this.#rules = [this.#rules[0]!, ...this.#someShipped()]
    else this.#actOnIncident(runtime)
  }

  #someShipped(): readonly Rule[] {
    const known = PACKS.flatMap(({ rules }) => rules).map(({ rule }) => rule)
    return SHIPPED.filter(() => this.#parts.dice.chance(0.4)).flatMap((id) => known.filter((rule) => rule.id === id))
  }

  #acknowledge({ judgement: own, inside }: TenantRuntime): void {
    const { dice, acts } = this.#parts
    const judgement = this.#parts.judgement?.(own) ?? own
    const lit = judgement.alerts().filter(({ state }) => isLit(state))
    if (lit.length === 0) return
    const { device, rule, entity, ack } = dice.pick(lit)
    const by = `person ${++this.#count}`
    const untilMs = ack !== null && dice.chance(0.3) ? null : inside().world.atMs + dice.int(20_000, 1_800_000)
    void acts
      .promise({ kind: "ack", device, rule, entity, by, untilMs }, () =>
        judgement.acknowledge({ device, rule, entity }, by, untilMs),
      )
      .catch(() => undefined)
  }

  #silence(nowMs: number): void {
    const { dice, devices } = this.#parts
    if (this.#silences.length > 0 && dice.chance(0.4)) {
      const gone = dice.pick(this.#silences)
      this.#silences = this.#silences.filter((one) => one !== gone)
      return
    }
    const fromMs = nowMs + dice.int(0, 60_000)
    const known = devices()
    const silence: Silence = {
      id: `silence-${++this.#count}`,
      kind: dice.pick<SilenceKind>([...SILENCE_KINDS]),
      reason: `works ${this.#count}`,
      scope: dice.chance(0.5) || known.length === 0 ? {} : { by_device_ids: [dice.pick([...known])] },
      ...(dice.chance(0.5) ? { rule: BUSY_RULE } : {}),
      sparesCritical: dice.chance(0.5),
      times: [[fromMs, fromMs + dice.int(10_000, 400_000)]],
    }
    this.#silences = [...this.#silences, silence].slice(-SILENCES_MOST)
  }

  #actOnIncident({ incidents, inside }: TenantRuntime): void {
    const { dice, acts } = this.#parts
    const all = incidents.list()
    if (all.length === 0) return
    const { id } = dice.pick([...all])
    const number = ++this.#count
    const act = dice.pick<IncidentAct>([
      { act: "ack", untilMs: inside().world.atMs + dice.int(20_000, 600_000) },
      { act: "unack" },
      { act: "assign", user: dice.pick([null, "ana", "rui"]) },
      { act: "note", text: `note ${number}` },
      { act: "note", text: `note ${number}` },
      { act: "escalate", note: `escalated ${number}` },
      { act: "close", note: `closed ${number}` },
    ])
    const by = `person ${number}`
    void acts
      .promise({ kind: "incident", incident: id, by, act }, () => incidents.act(id, by, act))
      .catch(() => undefined)
  }
}

const busyRule = (percent: number): Rule => {
  const checked = checkRule({
    id: BUSY_RULE,
    rule_schema_version: "1",
    name: "busy",
    severity: "info",
    condition: {
      type: "threshold",
      metric: "device.cpu_pct",
      operator: ">",
      threshold_num: percent,
      aggregation: "last",
      lookback_seconds: 600,
    },
    cooldown_seconds: 0,
    annotations: { summary_template: "{{device}}: {{value}}", runbook_url: "docs/runbooks/test.md" },
  })
  if (!checked.ok) throw new Error(JSON.stringify(checked.mistakes))
  return checked.rule
}
