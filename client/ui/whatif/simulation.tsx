/**
 * The simulation: the map in a hatched frame, a banner that says that nothing is really changed, on one side what is
 * assumed, on the other what would follow. Escape leaves it.
 */
import { useComputed, useSignalEffect } from "@preact/signals"
import { useEffect, useRef } from "preact/hooks"
import { language, t } from "#client/i18n/translate.ts"
import type { Picked } from "#client/map/pick.ts"
import { call } from "#client/state/api.ts"
import { twin } from "#client/state/app.ts"
import { route } from "#client/state/route.ts"
import type { TwinState } from "#client/state/twin-store.ts"
import {
  answer,
  asked,
  askNow,
  faults,
  faultText,
  followFaults,
  leaveSimulation,
  linkMode,
  moment,
  picture,
  setFaults,
} from "#client/state/whatif.ts"
import { fieldOf, ownZone, readField } from "#client/state/zone.ts"
import { faultOf, formatFaults, toggled, withFault } from "#client/state/whatif-faults.ts"
import { extentOf } from "#client/state/whatif-picture.ts"
import { useAsk } from "#client/ui/ask.ts"
import { Problem } from "#client/ui/form.tsx"
import { formatNumber } from "#client/ui/format.ts"
import { problemText } from "#client/ui/problem-text.ts"
import { FaultList } from "#client/ui/whatif/fault-list.tsx"
import { ImpactCard } from "#client/ui/whatif/impact-card.tsx"
import { SimLegend } from "#client/ui/whatif/legend.tsx"
import { OverMap } from "#client/ui/whatif/over-map.tsx"
import { paintPicture } from "#client/ui/whatif/paint.ts"
import { customersText } from "#client/ui/whatif/words.ts"
import type { Fault } from "#protocol/rest-generated.ts"

export const Simulation = () => {
  useEffect(followFaults, [])
  useEscape(leaveSimulation)
  // The search in the header selects; here what is found fails.
  useSignalEffect(() => {
    const { selection, screen } = route.value
    if (selection === null || screen !== "whatif") return
    setFaults(withFault(faults.peek(), faultOf(selection.kind === "device" ? "router" : "link", selection.id)), true)
  })
  const groups = useAsk(() => call("structure.srlgs"))
  const paint = useComputed(() => paintPicture(picture.value))
  const state = twin.value
  // What was pressed on the map is in view already; what came by address or by name is brought there.
  const pressed = useRef<string | null>(null)
  const key = useRef("")
  if (faultText.value !== pressed.current)
    key.current = `${faultText.value ?? ""} ${answer.value === null ? "" : "told"}`
  const press = (picked: Picked, now: TwinState): void => {
    const next = pressOn(picked, now)
    pressed.current = formatFaults(next)
    setFaults(next)
  }
  return (
    <div class="sim-screen">
      <Banner />
      <div class="sim-body">
        <OverMap
          label={t("whatif.map.label")}
          paint={paint.value}
          veiled={faults.value.length > 0}
          extent={state === null ? [] : extentOf(picture.value, state)}
          extentKey={key.current}
          pick={press}
        >
          <FaultList srlgs={groups.value?.items ?? []} />
          <Impact />
          {faults.value.length > 0 && <SimLegend />}
        </OverMap>
        <div class="sim-frame" aria-hidden="true" />
      </div>
    </div>
  )
}

/** A press fails it; another press mends it. */
const pressOn = ({ kind, slot }: Picked, state: TwinState): readonly Fault[] => {
  const id = (kind === "node" ? state.nodes.id : state.links.id)[slot]
  if (id === undefined) return faults.peek()
  return toggled(faults.peek(), faultOf(kind === "node" ? "router" : linkMode.peek(), id))
}

const Banner = () => (
  <div class="sim-banner" data-testid="sim-banner">
    <b>{t("whatif.banner")}</b>
    <span>{t("whatif.banner.not")}</span>
    <span class="grow" />
    <Moment />
    <Share />
    <button type="button" class="button" onClick={leaveSimulation}>
      {t("whatif.leave")} <kbd>Esc</kbd>
    </button>
  </div>
)

/** A moment of the stored past instead of now; the answer says which one it is of. */
const Moment = () => {
  const zone = ownZone()
  const atMs = moment.value
  return (
    <label class="quiet">
      {t("whatif.asOf")}{" "}
      <input
        type="datetime-local"
        name="moment"
        value={atMs === null ? "" : fieldOf(zone, atMs)}
        onChange={(event) => (moment.value = readField(zone, event.currentTarget.value))}
      />{" "}
      {atMs !== null && (
        <button type="button" class="text-button" onClick={() => (moment.value = null)}>
          {t("whatif.asOf.now")}
        </button>
      )}
    </label>
  )
}

/** Plain http has no clipboard: there the address bar is the way, and the tooltip says so. */
const Share = () => {
  if (faults.value.length === 0) return null
  const copy = () => void navigator.clipboard?.writeText(location.href)
  if (navigator.clipboard === undefined) return <span class="quiet sim-share">{t("whatif.share.address")}</span>
  return (
    <button type="button" class="text-button sim-share" title={t("whatif.share.address")} onClick={copy}>
      {t("whatif.share")}
    </button>
  )
}

const Impact = () => {
  const { busy, failure } = asked.value
  const told = answer.value
  return (
    <aside class="sim-impact panel" data-taken data-testid="impact" aria-labelledby="sim-impact-title" aria-busy={busy}>
      <header class="sim-head">
        <h2 id="sim-impact-title">{t("whatif.impact")}</h2>
        <span class="grow" />
        {busy && <span class="quiet">{t("whatif.busy")}</span>}
      </header>
      <p class="unseen" role="status" aria-live="polite">
        {told === null ? "" : spoken()}
      </p>
      <div class="panel-body" tabIndex={0} role="group" aria-labelledby="sim-impact-title">
        {failure !== null && (
          <div class="sim-fine">
            <Problem text={problemText(failure)} />
            <button type="button" class="text-button" onClick={() => void askNow()}>
              {t("table.again")}
            </button>
          </div>
        )}
        {faults.value.length === 0 ? <HowTo /> : told !== null && <ImpactCard answer={told} />}
      </div>
    </aside>
  )
}

const spoken = (): string => {
  const told = answer.value
  if (told === null) return ""
  const number = (value: number) => formatNumber(language.value, value)
  return t("whatif.spoken", {
    customers: customersText(told.customers),
    sites: number(told.totals.isolatedSites),
    links: number(told.totals.overloaded),
  })
}

const HowTo = () => (
  <div class="sim-howto">
    <p>{t("whatif.howto")}</p>
    <ol>
      <li>{t("whatif.howto.click")}</li>
      <li>{t("whatif.howto.find")}</li>
      <li>{t("whatif.howto.read")}</li>
    </ol>
  </div>
)

/** Not while somebody types or a dialog has the keyboard. */
const useEscape = (leave: () => void): void => {
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const typing = event.target instanceof HTMLElement && event.target.closest("input, textarea, select") !== null
      if (event.key === "Escape" && !typing && document.querySelector("dialog[open]") === null) leave()
    }
    document.addEventListener("keydown", onKey)
    return () => document.removeEventListener("keydown", onKey)
  }, [])
}
