/** Administration: one screen, a tab for each part that this person may see. */
import { t } from "#client/i18n/translate.ts"
import { formatRoute, route } from "#client/state/route.ts"
import { openTabs } from "#client/screens/admin/registry.ts"

export const AdminScreen = () => {
  const tabs = openTabs()
  const chosen = tabs.find(({ id }) => id === route.value.tab) ?? tabs[0]
  if (chosen === undefined) return null
  const View = chosen.view
  return (
    <div class="page">
      <header class="screen-head">
        <h1>{t("nav.admin")}</h1>
        <nav class="tabs" aria-label={t("admin.parts")}>
          {tabs.map(({ id, title }) => (
            <a
              key={id}
              href={formatRoute({ screen: "admin", tab: id, selection: null, camera: null })}
              aria-current={id === chosen.id ? "page" : undefined}
            >
              {t(title)}
            </a>
          ))}
        </nav>
      </header>
      <View key={chosen.id} />
    </div>
  )
}
