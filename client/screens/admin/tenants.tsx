/** Tenants, for whoever runs the platform: who they are, how big, whether they may work. Their networks stay theirs. */
import { useSignal } from "@preact/signals"
import { language, t } from "#client/i18n/translate.ts"
import { call } from "#client/state/api.ts"
import { joinPages } from "#client/state/pages.ts"
import type { Page } from "#client/state/pages.ts"
import { useAct, useAsk } from "#client/ui/ask.ts"
import { formatDateTime, formatNumber, NOTHING } from "#client/ui/format.ts"
import { Problem } from "#client/ui/form.tsx"
import { Loaded, Sheet } from "#client/ui/table.tsx"
import { tierName } from "#client/ui/words.ts"
import { NewTenantDialog } from "#client/screens/admin/new-tenant-dialog.tsx"
import { TenantDialog } from "#client/screens/admin/tenant-dialog.tsx"
import type { TenantRow } from "#protocol/rest-generated.ts"

const PAGE = 100
const idOf = ({ id }: TenantRow): string => id

export const TenantsTab = () => {
  const asked = useAsk(() => call("tenants.list", { query: { limit: PAGE } }))
  const more = useSignal<Page<TenantRow> | null>(null)
  const making = useSignal(false)
  const chosen = useSignal<string | null>(null)
  const act = useAct()
  const reload = async () => {
    more.value = null
    await asked.reload()
  }
  return (
    <>
      <div class="tools">
        <p class="quiet">{t("tenants.why")}</p>
        <button type="button" class="primary" onClick={() => (making.value = true)}>
          {t("tenants.add")}
        </button>
      </div>
      <Problem text={act.problem} />
      <Loaded asked={asked}>
        {(first) => {
          const page = more.value === null ? first : joinPages(first, more.value, idOf)
          const row = page.items.find(({ slug }) => slug === chosen.value)
          const load = () =>
            void act.run(
              () => call("tenants.list", { query: { limit: PAGE, cursor: page.next ?? undefined } }),
              (next) => {
                more.value = more.value === null ? next : joinPages(more.value, next, idOf)
              },
            )
          return (
            <>
              <TenantTable items={page.items} open={(slug) => (chosen.value = slug)} />
              {page.next !== null && (
                <button type="button" class="text-button older" onClick={load}>
                  {t("table.more")}
                </button>
              )}
              {row !== undefined && <TenantDialog row={row} close={() => (chosen.value = null)} changed={reload} />}
            </>
          )
        }}
      </Loaded>
      {making.value && <NewTenantDialog close={() => (making.value = false)} changed={reload} />}
    </>
  )
}

const TenantTable = ({ items, open }: { items: readonly TenantRow[]; open: (slug: string) => void }) => {
  /** Null = its own database does not answer. */
  const number = (value: number | null) => (value === null ? NOTHING : formatNumber(language.value, value))
  return (
    <Sheet
      label={t("tenants.title")}
      columns={[
        t("tenants.name"),
        t("quotas.tier"),
        t("devices.title"),
        t("tenants.links"),
        t("users.title"),
        t("tenants.since"),
        "",
      ]}
    >
      {items.map((row) => (
        <tr key={row.id} class={row.suspended ? "off" : ""}>
          <td>
            <b>{row.name}</b> <small class="quiet mono">{row.slug}</small>{" "}
            {row.demo && <span class="chip">{t("app.demo")}</span>}{" "}
            {row.suspended && <span class="chip word-major">{t("tenants.suspended")}</span>}{" "}
            {row.ownDatabase && <span class="chip">{t("tenants.ownDatabase")}</span>}
          </td>
          <td>{tierName(row.tier)}</td>
          <td class="num">{number(row.devices)}</td>
          <td class="num">{number(row.links)}</td>
          <td class="num">{number(row.users)}</td>
          <td class="num">{formatDateTime(language.value, row.createdMs)}</td>
          <td class="right">
            <button
              type="button"
              class="text-button"
              aria-label={t("tenants.open.of", { name: row.name })}
              onClick={() => open(row.slug)}
            >
              {t("tenants.open")}
            </button>
          </td>
        </tr>
      ))}
    </Sheet>
  )
}
