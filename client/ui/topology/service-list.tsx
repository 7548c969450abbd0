/** Every declared service with its health, since when, and why: what the twin judged, worst first. */
import { useEffect } from "preact/hooks"
import { capital, said } from "#client/i18n/said.ts"
import { language, t } from "#client/i18n/translate.ts"
import type { Mark } from "#client/map/mark.ts"
import { serverNowMs } from "#client/state/app.ts"
import { formatRoute } from "#client/state/route.ts"
import { followServices, healthOf, readServices, services, servicesFailure } from "#client/state/services.ts"
import { Problem } from "#client/ui/form.tsx"
import { formatAge, formatNumber, formatPercent } from "#client/ui/format.ts"
import { MarkIcon } from "#client/ui/icons.tsx"
import { problemText } from "#client/ui/problem-text.ts"
import { TopologyTabs } from "#client/ui/topology/tabs.tsx"
import type { JudgedService } from "#protocol/rest-generated.ts"
import type { ServiceHealth } from "#protocol/service.ts"

const HEALTH_MARK: Readonly<Record<ServiceHealth, Mark>> = {
  up: "ok",
  degraded: "warning",
  down: "critical",
  unknown: "unknown",
}
/** Of what is well; of what is not all are shown. */
const REASONS_WELL = 2

export const ServicesPane = () => {
  useEffect(followServices, [])
  const all = services.value
  return (
    <div class="single">
      <section class="list-side" aria-labelledby="services-title">
        <header class="screen-head">
          <h1 id="services-title">{t("services.title")}</h1>
          <span class="count num">{all === null ? "" : formatNumber(language.value, all.length)}</span>
          <TopologyTabs which="services" />
          <span class="grow" />
          <button type="button" class="text-button" onClick={() => void readServices()}>
            {t("proposals.again")}
          </button>
        </header>
        {servicesFailure.value !== null && (
          <Problem text={t("services.failed", { reason: problemText(servicesFailure.value) })} />
        )}
        {all === null && servicesFailure.value === null && <p class="calm quiet">{t("panel.loading")}</p>}
        {all?.length === 0 && <p class="calm quiet">{t("services.none")}</p>}
        {all !== null && all.length > 0 && (
          <ul class="service-list" data-testid="services">
            {all.map((service) => (
              <Row key={service.id} service={service} />
            ))}
          </ul>
        )}
      </section>
    </div>
  )
}

const Row = ({ service }: { service: JudgedService }) => {
  const { condition, kind, name } = service
  const health = healthOf(service)
  const reasons = condition?.reasons ?? []
  const shown = health === "up" ? reasons.filter(({ isFault }) => !isFault).slice(0, REASONS_WELL) : reasons
  return (
    <li class={`service-row service-${health}`} data-health={health}>
      <MarkIcon mark={HEALTH_MARK[health]} />
      <div class="service-what">
        <strong>{name}</strong>
        <span class="chip">{t(`services.kind.${kind}`)}</span>
        <span class="service-health">{t(`services.health.${health}`)}</span>
        {condition !== null && (
          <span class="quiet num">{formatAge(language.value, serverNowMs.value - condition.sinceMs)}</span>
        )}
        {condition?.transit != null && (
          <span class="quiet num">
            {t("services.sure", { part: formatPercent(language.value, condition.transit.confidence * 100) })}
          </span>
        )}
        {health !== "up" && condition !== null && condition.words !== "" && (
          <p class="service-words">{capital(said(condition.words))}</p>
        )}
        <ul class="service-reasons">
          {shown.map((reason) => (
            <li key={reason.text} class={reason.isFault ? "" : "quiet"}>
              <Reason {...reason} />
            </li>
          ))}
        </ul>
      </div>
    </li>
  )
}

const Reason = ({ text, kind, id }: NonNullable<JudgedService["condition"]>["reasons"][number]) => {
  const words = capital(said(text))
  if (kind !== "device" && kind !== "link") return <>{words}</>
  return <a href={formatRoute({ screen: "map", tab: null, camera: null, selection: { kind, id } })}>{words}</a>
}
