/** The tabs of the topology screen: what is proposed, what was decided, and the services that stand on it. */
import { t } from "#client/i18n/translate.ts"
import { formatRoute } from "#client/state/route.ts"

export const TOPOLOGY_TABS = ["links", "roles", "history", "services"] as const
export type TopologyTab = (typeof TOPOLOGY_TABS)[number]

export const TopologyTabs = ({ which }: { which: TopologyTab }) => (
  <nav class="tabs topology-tabs" aria-label={t("proposals.tabs")}>
    {TOPOLOGY_TABS.map((tab) => (
      <a
        key={tab}
        href={formatRoute({ screen: "topology", tab: tab === "links" ? null : tab, selection: null, camera: null })}
        aria-current={tab === which ? "page" : undefined}
      >
        {t(`proposals.tab.${tab}`)}
      </a>
    ))}
  </nav>
)
