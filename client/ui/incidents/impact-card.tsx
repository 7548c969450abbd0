/** What an incident costs: customers and how that is known, sites, devices, links, services. What nobody knows is a dash. */
import { useEffect } from "preact/hooks"
import { language, t } from "#client/i18n/translate.ts"
import { serverNowMs } from "#client/state/app.ts"
import { followServices, healthOf, serviceNamed } from "#client/state/services.ts"
import { siteName } from "#client/ui/alerts/words.ts"
import { formatNumber, formatPercent } from "#client/ui/format.ts"
import { customersWord, knownWord } from "#client/ui/incidents/words.ts"
import type { ImpactView } from "#protocol/incident.ts"

/** Names beside a number; the rest is in its title. */
const NAMES = 3

export const ImpactCard = ({ impact }: { impact: ImpactView }) => {
  const { subscribers, subscribersPart, sites, devices, links, services } = impact
  useEffect(() => (services.length === 0 ? undefined : followServices()), [services.length === 0])
  const whole = (value: number) => formatNumber(language.value, value)
  const names = sites.map(siteName)
  return (
    <dl class="impact" aria-label={t("incident.impact")} data-testid="impact">
      <div class="impact-main">
        <dt>{t("incident.impact.customers")}</dt>
        <dd>
          <b class="num">{customersWord(subscribers)}</b>
          {subscribersPart !== null && (
            <span class="quiet num">
              {t("incident.impact.part", { part: formatPercent(language.value, subscribersPart * 100) })}
            </span>
          )}
        </dd>
        <dd class="quiet known">
          {subscribers === null ? t("incident.impact.unknown") : knownWord(subscribers, serverNowMs.value)}
        </dd>
      </div>
      <Number
        label={t("incident.impact.sites")}
        value={whole(sites.length)}
        detail={listed(names)}
        title={names.join(", ")}
      />
      <Number label={t("incident.impact.devices")} value={whole(devices.length)} />
      <Number label={t("incident.impact.links")} value={whole(links.length)} />
      <Number
        label={t("incident.impact.services")}
        value={whole(services.length)}
        detail={listed(services.map(withHealth))}
        title={services.map(withHealth).join(", ")}
      />
    </dl>
  )
}

/** How it does now; one that works again, or that nobody judged, is its name alone. */
const withHealth = (name: string): string => {
  const service = serviceNamed(name)
  const health = service === null ? "up" : healthOf(service)
  return health === "up" ? name : `${name} (${t(`services.health.${health}`)})`
}

const listed = (names: readonly string[]): string =>
  names.length <= NAMES ? names.join(", ") : `${names.slice(0, NAMES).join(", ")} + ${names.length - NAMES}`

const Number = (props: { label: string; value: string; detail?: string; title?: string }) => (
  <div title={props.title ?? ""}>
    <dt>{props.label}</dt>
    <dd>
      <b class="num">{props.value}</b>
    </dd>
    <dd class="quiet ellipsis known">{props.detail ?? ""}</dd>
  </div>
)
