/** Where inventory and network disagree: what is doubted, how surely, with what was seen; and the proposal that would mend it. */
import { useSignal } from "@preact/signals"
import { language, t } from "#client/i18n/translate.ts"
import { call } from "#client/state/api.ts"
import { formatRoute, go } from "#client/state/route.ts"
import { useAsk } from "#client/ui/ask.ts"
import { formatNumber, formatPercent } from "#client/ui/format.ts"
import { Said } from "#client/ui/said.tsx"
import { Loaded } from "#client/ui/table.tsx"
import { Assumed } from "#client/ui/whatif/assumed.tsx"
import { ConfidenceBar } from "#client/ui/topology/confidence-bar.tsx"
import type { Drift } from "#protocol/rest-generated.ts"

const ROWS = 500
const KINDS = [
  "flow-disagrees",
  "flow-not-conserved",
  "status-disagrees",
  "capacity-disagrees",
  "interface-missing",
  "neighbour-contradicts",
  "undeclared-link",
] as const
type Kind = (typeof KINDS)[number]

export const DriftTab = () => {
  const kind = useSignal<Kind | "all">("all")
  const asked = useAsk(
    () => call("whatIf.drift", { query: { limit: ROWS, ...(kind.value === "all" ? {} : { kind: kind.value }) } }),
    kind.value,
  )
  return (
    <div class="single whatif-page">
      <header class="screen-head">
        <h1>{t("drift.title")}</h1>
        <span class="quiet">{t("drift.why")}</span>
        <label class="pick-one drift-kind">
          {t("drift.kind")}
          <select value={kind.value} onChange={(event) => (kind.value = event.currentTarget.value as Kind | "all")}>
            <option value="all">{t("alerts.any")}</option>
            {KINDS.map((one) => (
              <option key={one} value={one}>
                {t(`drift.${one}`)}
              </option>
            ))}
          </select>
        </label>
      </header>
      <div class="page-scroll" tabIndex={0} role="region" aria-label={t("drift.title")}>
        <Loaded asked={asked}>{(drift) => <Rows drift={drift} />}</Loaded>
      </div>
    </div>
  )
}

const Rows = ({ drift }: { drift: Drift }) => {
  const number = (value: number) => formatNumber(language.value, value)
  const { links, devices } = drift.checked
  return (
    <>
      <p class="quiet next-sum">
        {t("drift.checked", { links: number(links), devices: number(devices) })}{" "}
        {drift.agreement !== null && (
          <b>{t("drift.agreement", { share: formatPercent(language.value, drift.agreement * 100) })}</b>
        )}
      </p>
      {drift.items.length === 0 ? (
        <p class="calm quiet">{t(links + devices === 0 ? "drift.unchecked" : "drift.none")}</p>
      ) : (
        <ul class="drift-rows" data-list>
          {drift.items.map((item, at) => (
            <Item key={at} item={item} />
          ))}
        </ul>
      )}
      {drift.total > drift.items.length && (
        <p class="quiet">{t("whatif.more", { count: drift.total - drift.items.length })}</p>
      )}
      <Assumed lines={drift.assumptions} />
    </>
  )
}

const Item = ({ item }: { item: Drift["items"][number] }) => {
  const { link, device, proposal } = item
  return (
    <li class="panel drift-row">
      <div class="drift-head">
        <span class="chip">{t(`drift.${item.kind}`)}</span>
        <b class="drift-name">{link?.name ?? [device?.name, item.interface].filter(Boolean).join(" ")}</b>
        <span class="grow" />
        <ConfidenceBar confidence={item.confidence} />
      </div>
      <p>
        <Said text={item.text} lead />
      </p>
      <ul class="drift-evidence">
        {item.evidence.map((one, at) => (
          <li key={at}>
            <Said text={one} lead />
          </li>
        ))}
      </ul>
      <p class="drift-acts">
        {link !== null && (
          <button
            type="button"
            class="text-button"
            data-row
            onClick={() => go({ screen: "map", tab: null, item: null, selection: { kind: "link", id: link.id } })}
          >
            {t("drift.open.link")}
          </button>
        )}
        {link === null && device !== null && (
          <button
            type="button"
            class="text-button"
            data-row
            onClick={() => go({ screen: "map", tab: null, item: null, selection: { kind: "device", id: device.id } })}
          >
            {t("drift.open.device")}
          </button>
        )}
        {proposal !== null && (
          <a
            class="text-button"
            href={formatRoute({ screen: "topology", tab: null, selection: null, camera: null, item: proposal })}
          >
            {t("drift.open.proposal")}
          </a>
        )}
      </p>
    </li>
  )
}
