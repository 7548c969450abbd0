/**
 * What would follow: customers first (and how that is known), then sites, routers, exits and links above capacity, and in
 * words what the answer rests on. Every list says how many there are beyond the rows that it shows.
 */
import type { ComponentChildren } from "preact"
import { useSignal } from "@preact/signals"
import { language, t, tCount } from "#client/i18n/translate.ts"
import { percentOf } from "#client/state/whatif-picture.ts"
import { formatBps, formatMoment, formatNumber } from "#client/ui/format.ts"
import { Said } from "#client/ui/said.tsx"
import { customersText, customersWhy, percentWord } from "#client/ui/whatif/words.ts"
import { FAR_ABOVE } from "#client/ui/whatif/paint.ts"
import type { LoadShift, Ref, WhatIfAnswer } from "#protocol/rest-generated.ts"

const LINK_ROWS = 10
const NAME_ROWS = 8

export const ImpactCard = ({ answer }: { answer: WhatIfAnswer }) => {
  const { customers, totals } = answer
  const lost = lostOf(answer)
  return (
    <>
      <section class="block sim-customers" data-testid="customers">
        <h3>{t("whatif.customers")}</h3>
        <p>
          <b class={`sim-big num ${customers.count === 0 ? "" : "bad"}`}>{customersText(customers)}</b>{" "}
          {customers.count !== 0 && (
            <span class={`chip quality-${customers.quality}`}>{t(`whatif.quality.${customers.quality}`)}</span>
          )}
        </p>
        <p class="quiet">{customersWhy(customers)}</p>
      </section>
      <dl class="sim-tiles">
        <Tile label={t("whatif.sites")} value={totals.isolatedSites} />
        <Tile label={t("whatif.routers")} value={Math.max(totals.unreachable, totals.offline)} />
        <Tile label={t("whatif.overloaded")} value={totals.overloaded} />
        <Tile label={t("whatif.exits")} value={totals.exits} calm />
      </dl>
      {!harmful(answer) && (
        <p class="notice sim-fine" role="status">
          {t("whatif.fine")}
        </p>
      )}
      <Unknown answer={answer} />
      <Overloaded rows={answer.overloaded} total={totals.overloaded} />
      <Names title={t("whatif.sites.list")} refs={answer.isolatedSites} total={totals.isolatedSites} />
      <Names title={t("whatif.routers.list")} refs={lost} total={lostTotal(answer, lost)} />
      <Groups answer={answer} />
      <Exits answer={answer} />
      <Traffic answer={answer} />
      <section class="block">
        <h3>{t("whatif.assumptions")}</h3>
        <ul class="sim-assumed">
          {answer.assumptions.map((one, at) => (
            <li key={at}>
              <Said text={one} lead />
            </li>
          ))}
        </ul>
        <p class="quiet num">{t("whatif.moment", { time: formatMoment(language.value, answer.atMs) })}</p>
      </section>
    </>
  )
}

/** Without those that fail themselves: they are the question, not the answer. */
const lostOf = ({ unreachable, offline, failed }: WhatIfAnswer): readonly Ref[] => {
  const own = new Set(failed.devices.map(({ id }) => id))
  return [...new Map([...unreachable, ...offline].map((one) => [one.id, one])).values()].filter(
    ({ id }) => !own.has(id),
  )
}
/** A list that holds them all is its own total; only a cut one needs the engine's. */
const lostTotal = ({ unreachable, offline, totals }: WhatIfAnswer, lost: readonly Ref[]): number =>
  unreachable.length < totals.unreachable || offline.length < totals.offline
    ? Math.max(totals.unreachable, totals.offline)
    : lost.length
const harmful = ({ customers, totals, exits, lostByGroups }: WhatIfAnswer): boolean =>
  customers.count !== 0 ||
  totals.unreachable + totals.offline + totals.overloaded + totals.isolatedSites > 0 ||
  exits.length + lostByGroups.length > 0

const Tile = ({ label, value, calm = false }: { label: string; value: number; calm?: boolean }) => (
  <div>
    <dt>{label}</dt>
    <dd class={`num ${value > 0 && !calm ? "bad" : ""}`}>{formatNumber(language.value, value)}</dd>
  </div>
)

const Unknown = ({ answer: { failed } }: { answer: WhatIfAnswer }) =>
  failed.unknown.length === 0 ? null : (
    <p class="problem sim-fine" role="status">
      {tCount("whatif.unknown", failed.unknown.length)}
    </p>
  )

const Overloaded = ({ rows, total }: { rows: readonly LoadShift[]; total: number }) =>
  rows.length === 0 ? null : (
    <section class="block">
      <h3>
        {t("whatif.overloaded.list")} <span class="count num">{total}</span>
      </h3>
      <ol class="sim-loads" data-testid="overloaded">
        {rows.slice(0, LINK_ROWS).map((row) => (
          <Load key={`${row.link.id}${row.from.id}`} row={row} />
        ))}
      </ol>
      <More shown={LINK_ROWS} total={total} />
    </section>
  )

const Load = ({ row: { from, to, beforeBps, afterBps, capacityBps } }: { row: LoadShift }) => {
  const after = percentOf(afterBps, capacityBps) ?? 0
  const lang = language.value
  return (
    <li class={after >= FAR_ABOVE ? "far" : ""}>
      <span class="sim-load-name">
        {from.name} → {to.name}
      </span>
      <span class="num sim-load-share">
        {percentWord(beforeBps, capacityBps)} → <b>{percentWord(afterBps, capacityBps)}</b>
      </span>
      <span class="sim-load-bar" aria-hidden="true">
        <i style={{ inlineSize: `${Math.min(100, (after / 200) * 100)}%` }} />
      </span>
      <span class="quiet num sim-load-bps">
        {t("whatif.bps", { wanted: formatBps(lang, afterBps), capacity: formatBps(lang, capacityBps) })}
      </span>
    </li>
  )
}

const Names = ({ title, refs, total }: { title: string; refs: readonly Ref[]; total: number }) => {
  const all = useSignal(false)
  if (refs.length === 0) return null
  const shown = all.value ? refs : refs.slice(0, NAME_ROWS)
  return (
    <section class="block">
      <h3>
        {title} <span class="count num">{formatNumber(language.value, total)}</span>
      </h3>
      <p class="sim-names">
        {shown.map(({ id, name }) => (
          <span key={id} class="chip">
            {name}
          </span>
        ))}
      </p>
      {refs.length > shown.length ? (
        <button type="button" class="text-button" onClick={() => (all.value = true)}>
          {t("whatif.all", { count: refs.length })}
        </button>
      ) : (
        <More shown={refs.length} total={total} />
      )}
    </section>
  )
}

const More = ({ shown, total }: { shown: number; total: number }) =>
  total > shown ? <p class="quiet">{t("whatif.more", { count: total - shown })}</p> : null

const Groups = ({ answer: { brokenGroups, lostByGroups } }: { answer: WhatIfAnswer }) => (
  <>
    <Names title={t("whatif.groups")} refs={brokenGroups} total={brokenGroups.length} />
    <Names title={t("whatif.groups.lost")} refs={lostByGroups} total={lostByGroups.length} />
  </>
)

const Exits = ({ answer: { exits, totals } }: { answer: WhatIfAnswer }) =>
  exits.length === 0 ? null : (
    <Lines title={t("whatif.exits.list")} total={totals.exits}>
      {exits.slice(0, NAME_ROWS).map(({ device, from, to }) => (
        <li key={device.id}>
          <b>{device.name}</b> <span class="quiet">{from.name}</span> → {to.name}
        </li>
      ))}
      <More shown={NAME_ROWS} total={totals.exits} />
    </Lines>
  )
const Lines = (props: { title: string; total: number; children: ComponentChildren }) => (
  <section class="block">
    <h3>
      {props.title} <span class="count num">{formatNumber(language.value, props.total)}</span>
    </h3>
    <ul class="sim-lines">{props.children}</ul>
  </section>
)

const Traffic = ({ answer: { traffic, lostBps, unplacedBps } }: { answer: WhatIfAnswer }) => {
  const lang = language.value
  return (
    <section class="block">
      <h3>{t("whatif.traffic")}</h3>
      <dl class="measures">
        <div>
          <dt>{t("whatif.traffic.before")}</dt>
          <dd>{t(`whatif.quality.${traffic.before}`)}</dd>
        </div>
        <div>
          <dt>{t("whatif.traffic.after")}</dt>
          <dd>{t(`whatif.quality.${traffic.after}`)}</dd>
        </div>
        <div>
          <dt>{t("whatif.traffic.lost")}</dt>
          <dd class="num">{formatBps(lang, lostBps)}</dd>
        </div>
        {unplacedBps > 0 && (
          <div>
            <dt>{t("whatif.traffic.unplaced")}</dt>
            <dd class="num">{formatBps(lang, unplacedBps)}</dd>
          </div>
        )}
      </dl>
    </section>
  )
}
