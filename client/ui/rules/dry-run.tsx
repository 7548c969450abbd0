/** What the rule would have done: a stretch of the stored past, a bar for each time that it would have fired, and the list. */
import { useSignal } from "@preact/signals"
import { said } from "#client/i18n/said.ts"
import { language, t, tCount } from "#client/i18n/translate.ts"
import { call } from "#client/state/api.ts"
import { serverNowMs } from "#client/state/app.ts"
import { LINES_MAX, linesOf, RANGE_MAX_MS, sumsOf, ticksOf } from "#client/state/dry-run.ts"
import type { TestLine, WouldBe } from "#client/state/dry-run.ts"
import { valueAt, withValue } from "#client/state/rule-doc.ts"
import type { Draft } from "#client/state/rule-drafts.ts"
import { fieldOf, offsetMs, ownZone, readField } from "#client/state/zone.ts"
import { entityWord, markOfSeverityWord } from "#client/ui/alerts/words.ts"
import { useAct } from "#client/ui/ask.ts"
import { Problem } from "#client/ui/form.tsx"
import { formatDateTime, formatDuration, formatMoment, formatNumber, formatPercent } from "#client/ui/format.ts"
import { MarkIcon } from "#client/ui/icons.tsx"
import { Said } from "#client/ui/said.tsx"
import { Sheet } from "#client/ui/table.tsx"
import type { AlertRule, AlertRuleRow, DryRun, RuleMistake } from "#protocol/rest-generated.ts"

const HOUR = 3_600_000
const RANGES = { "1h": HOUR, "6h": 6 * HOUR, "24h": 24 * HOUR } as const
type Range = keyof typeof RANGES | "own"
const NAMES: readonly Range[] = ["1h", "6h", "24h", "own"]
/** Rows of the list; the picture shows the rest. */
const LIST_MAX = 200

export const BackTest = (props: { draft: Draft; rows: readonly AlertRuleRow[]; mistakes: readonly RuleMistake[] }) => {
  const { draft, rows } = props
  const zone = ownZone()
  const act = useAct()
  const range = useSignal<Range>("6h")
  const from = useSignal(fieldOf(zone, serverNowMs.peek() - 6 * HOUR))
  const to = useSignal(fieldOf(zone, serverNowMs.peek()))
  const result = useSignal<{ readonly run: DryRun; readonly text: string } | null>(null)
  const span = (): readonly [number, number] => {
    const now = Math.round(serverNowMs.peek())
    const name = range.value
    if (name !== "own") return [now - RANGES[name], now]
    return [readField(zone, from.value) ?? Number.NaN, Math.min(now, readField(zone, to.value) ?? Number.NaN)]
  }
  const [fromMs, toMs] = span()
  const fits = toMs > fromMs && toMs - fromMs <= RANGE_MAX_MS
  const off = act.busy || !fits || !draft.read.ok || props.mistakes.length > 0
  const start = () => {
    const [begin, end] = span()
    const { text } = draft
    void act.run(
      () =>
        call("alertRules.dryRun", {
          body: { rules: judgedTogether(draft, rows), only: true, fromMs: begin, toMs: end },
        }),
      (run) => {
        result.value = { run, text }
      },
    )
  }
  return (
    <div class="back-test" tabIndex={0} role="region" aria-label={t("rules.tab.test")}>
      <div class="test-tools">
        <div class="segments" role="group" aria-label={t("test.range")}>
          {NAMES.map((name) => (
            <button key={name} type="button" aria-pressed={range.value === name} onClick={() => (range.value = name)}>
              {t(`test.range.${name}`)}
            </button>
          ))}
        </div>
        {range.value === "own" && (
          <>
            <Moment label={t("test.from")} value={from.value} set={(text) => (from.value = text)} />
            <Moment label={t("test.to")} value={to.value} set={(text) => (to.value = text)} />
          </>
        )}
        <button type="button" class="primary" aria-disabled={off} onClick={() => !off && start()}>
          {t(act.busy ? "test.busy" : "test.run")}
        </button>
        <span class="quiet">{t("test.why")}</span>
      </div>
      {!fits && <Problem text={t("test.range.bad")} />}
      {props.mistakes.length > 0 && <Problem text={t("test.mistakes")} />}
      <Problem text={act.problem} />
      {result.value === null ? (
        !act.busy && <p class="calm quiet">{t("test.none.yet")}</p>
      ) : (
        <Result
          run={result.value.run}
          id={String(valueAt(draft.json, ["id"]))}
          old={result.value.text !== draft.text}
        />
      )}
    </div>
  )
}

/** Variants of one name are judged together: only the most specific counts. One that is off is tried as if it were on. */
const judgedTogether = (draft: Draft, rows: readonly AlertRuleRow[]): readonly AlertRule[] => {
  const mine = withValue(draft.json, ["enabled"], true) as AlertRule
  const others = rows
    .map(({ rule }) => rule)
    .filter((rule) => rule["name"] === mine["name"] && rule["id"] !== mine["id"])
  return [mine, ...others]
}

const Moment = (props: { label: string; value: string; set: (text: string) => void }) => (
  <label class="pick-one">
    <span>{props.label}</span>
    <input type="datetime-local" value={props.value} onInput={(event) => props.set(event.currentTarget.value)} />
  </label>
)

const Result = ({ run, id, old }: { run: DryRun; id: string; old: boolean }) => {
  const lang = language.value
  const sums = sumsOf(run, id)
  const alerts = run.rules.find((one) => one.id === id)?.alerts ?? []
  if (sums === null) return <Problem text={t("test.gone")} />
  const tiles = [
    [t("test.fired"), formatNumber(lang, sums.fired)],
    [t("test.told"), formatNumber(lang, sums.told)],
    [t("test.perDay"), formatNumber(lang, sums.perDay, sums.perDay < 10 ? 1 : 0)],
    [t("test.entities"), formatNumber(lang, sums.entities)],
    [t("test.share"), formatPercent(lang, sums.busy * 100)],
  ] as const
  return (
    <>
      {old && <p class="notice">{t("test.old")}</p>}
      <dl class="test-tiles" data-testid="test-tiles">
        {tiles.map(([label, value]) => (
          <div key={label}>
            <dt>{label}</dt>
            <dd class="num">{value}</dd>
          </div>
        ))}
      </dl>
      <p class="quiet test-source">
        {t("test.source", {
          from: formatDateTime(lang, run.fromMs),
          to: formatDateTime(lang, run.toMs),
          inputs: formatNumber(lang, run.inputs),
          took: formatDuration(lang, run.tookMs),
        })}
      </p>
      {alerts.length === 0 ? (
        <p class="calm">{t("test.nothing")}</p>
      ) : (
        <>
          <Bars run={run} alerts={alerts} fired={sums.fired} />
          <List alerts={alerts} run={run} />
        </>
      )}
    </>
  )
}

const Bars = ({ run, alerts, fired }: { run: DryRun; alerts: readonly WouldBe[]; fired: number }) => {
  const lines = linesOf(alerts, run.fromMs, run.toMs)
  const zone = ownZone()
  const ticks = ticksOf(run.fromMs, run.toMs, offsetMs(zone, run.fromMs))
  const wide = run.toMs - run.fromMs > 36 * HOUR
  const clock = new Intl.DateTimeFormat(
    language.value,
    wide ? { day: "2-digit", month: "2-digit" } : { hour: "2-digit", minute: "2-digit", hour12: false },
  )
  return (
    <figure class="test-chart" aria-label={t("test.chart", { count: fired })}>
      <div class="test-axis" aria-hidden="true">
        {ticks.map(([share, atMs]) => (
          <span key={atMs} class="num" style={{ insetInlineStart: `${share * 100}%` }}>
            {clock.format(atMs)}
          </span>
        ))}
      </div>
      <div class="test-lines">
        <div class="test-grid" aria-hidden="true">
          {ticks.map(([share, atMs]) => (
            <i key={atMs} style={{ insetInlineStart: `${share * 100}%` }} />
          ))}
        </div>
        {lines.map((line) => (
          <Line key={line.key} line={line} />
        ))}
      </div>
      {lines.length === LINES_MAX && <figcaption class="quiet">{t("test.lines", { count: LINES_MAX })}</figcaption>}
    </figure>
  )
}

/** What a line is about, beside its device: of a service what is told of it, because that names it. */
const whatWord = ({ entity, bars }: TestLine): string =>
  entity === "" ? "" : entityWord(entity) || said(bars[0]?.alert.summary ?? "")

const Line = ({ line }: { line: TestLine }) => (
  <div class="test-line">
    <span class="ellipsis" title={`${line.deviceName} ${whatWord(line)}`}>
      {line.deviceName}
      {line.entity !== "" && <span class="mono quiet"> · {whatWord(line)}</span>}
    </span>
    <span class="test-track">
      {line.bars.map(({ alert, left, width, open }, at) => (
        <i
          key={at}
          class={`test-bar sev-${alert.severity} ${open ? "still" : ""}`}
          style={{ insetInlineStart: `${left * 100}%`, inlineSize: `${width * 100}%` }}
          title={`${said(alert.summary)} · ${spanWord(alert)}`}
        />
      ))}
    </span>
    <span class="num quiet">{tCount("test.times", line.bars.length)}</span>
  </div>
)

const spanWord = ({ fromMs, toMs }: WouldBe): string =>
  toMs === null
    ? t("test.still", { from: formatMoment(language.value, fromMs) })
    : `${formatMoment(language.value, fromMs)} · ${formatDuration(language.value, toMs - fromMs)}`

const List = ({ alerts, run }: { alerts: readonly WouldBe[]; run: DryRun }) => (
  <Sheet
    label={t("test.list")}
    columns={[t("test.from"), t("test.lasted"), t("alerts.column.where"), t("alerts.column.what")]}
  >
    {alerts.slice(0, LIST_MAX).map((alert, at) => (
      <tr key={at}>
        <td class="num">{formatMoment(language.value, alert.fromMs)}</td>
        <td class="num">
          {alert.toMs === null
            ? t("test.open")
            : formatDuration(language.value, Math.min(alert.toMs, run.toMs) - alert.fromMs)}
        </td>
        <td>
          {alert.deviceName} <span class="mono quiet">{entityWord(alert.entity)}</span>
        </td>
        <td>
          <MarkIcon mark={markOfSeverityWord(alert.severity)} size={11} /> <Said text={alert.summary} />
        </td>
      </tr>
    ))}
  </Sheet>
)
