/** What monitoring could not tell: faults that look alike today, faults that nobody would see, and the cheapest probe to add. */
import { language, t } from "#client/i18n/translate.ts"
import { call } from "#client/state/api.ts"
import { useAsk } from "#client/ui/ask.ts"
import { formatNumber } from "#client/ui/format.ts"
import { Said } from "#client/ui/said.tsx"
import { Loaded } from "#client/ui/table.tsx"
import { Assumed } from "#client/ui/whatif/assumed.tsx"
import type { BlindSpots, SingleFault } from "#protocol/rest-generated.ts"

/** Of each list; the totals say how many there are. */
const CLASSES = 40
const MEMBERS = 12
const INVISIBLE = 60

export const BlindSpotsTab = () => {
  const asked = useAsk(() => call("whatIf.blindSpots"))
  return (
    <div class="single whatif-page">
      <header class="screen-head">
        <h1>{t("blind.title")}</h1>
        <span class="quiet">{t("blind.why")}</span>
      </header>
      <div class="page-scroll" tabIndex={0} role="region" aria-label={t("blind.title")}>
        <Loaded asked={asked}>{(spots) => <Spots spots={spots} />}</Loaded>
      </div>
    </div>
  )
}

const Spots = ({ spots }: { spots: BlindSpots }) => {
  const { totals } = spots
  const number = (value: number) => formatNumber(language.value, value)
  return (
    <>
      <dl class="sim-tiles blind-tiles panel">
        <Tile label={t("blind.faults")} value={number(totals.faults)} />
        <Tile label={t("blind.told")} value={number(totals.told)} />
        <Tile label={t("blind.classes")} value={number(totals.classes)} />
        <Tile label={t("blind.invisible")} value={number(totals.invisible)} />
      </dl>
      <div class="blind-columns">
        <Suggestions spots={spots} />
        <section class="panel blind-card">
          <h2>{t("blind.classes.list")}</h2>
          {spots.classes.length === 0 && <p class="quiet">{t("blind.classes.none")}</p>}
          <ol class="blind-classes">
            {spots.classes.slice(0, CLASSES).map((members, at) => (
              <li key={at}>
                <Faults faults={members} most={MEMBERS} />
              </li>
            ))}
          </ol>
          {totals.classes > CLASSES && <p class="quiet">{t("whatif.more", { count: totals.classes - CLASSES })}</p>}
        </section>
        <section class="panel blind-card">
          <h2>{t("blind.invisible.list")}</h2>
          {spots.invisible.length === 0 ? (
            <p class="quiet">{t("blind.invisible.none")}</p>
          ) : (
            <Faults faults={spots.invisible} most={INVISIBLE} total={totals.invisible} />
          )}
        </section>
      </div>
      <Assumed lines={spots.assumptions} />
    </>
  )
}

const Tile = ({ label, value }: { label: string; value: string }) => (
  <div>
    <dt>{label}</dt>
    <dd class="num">{value}</dd>
  </div>
)

const Suggestions = ({ spots: { suggestions } }: { spots: BlindSpots }) => (
  <section class="panel blind-card">
    <h2>{t("blind.probe")}</h2>
    {suggestions.length === 0 && <p class="quiet">{t("blind.probe.none")}</p>}
    <ol class="blind-probes">
      {suggestions.map(({ watch, device, cost, gain, text }, at) => (
        <li key={`${watch}${device.id}`} class={at === 0 ? "best" : ""}>
          <span class="blind-probe">
            <b>{device.name}</b> <span class="chip">{t(`blind.watch.${watch}`)}</span>
            {at === 0 && <span class="chip word-ok">{t("blind.best")}</span>}
          </span>
          <span>
            <Said text={text} lead />
          </span>
          <span class="quiet num">
            {t("blind.gain", {
              gain: formatNumber(language.value, gain, 2),
              cost: formatNumber(language.value, cost, 2),
            })}
          </span>
        </li>
      ))}
    </ol>
  </section>
)

const Faults = (props: { faults: readonly SingleFault[]; most: number; total?: number }) => {
  const rest = (props.total ?? props.faults.length) - Math.min(props.most, props.faults.length)
  return (
    <span class="sim-names">
      {props.faults.slice(0, props.most).map(({ kind, id, name }) => (
        <span key={`${kind}${id}`} class="chip">
          <span class="quiet">{t(`blind.kind.${kind}`)}</span> {name}
        </span>
      ))}
      {rest > 0 && <span class="quiet">{t("whatif.more", { count: rest })}</span>}
    </span>
  )
}
