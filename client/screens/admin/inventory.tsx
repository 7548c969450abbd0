/** The network's papers: an import with a preview before anything changes, and the export. */
import { useSignal } from "@preact/signals"
import { t } from "#client/i18n/translate.ts"
import { call } from "#client/state/api.ts"
import { can, screenOpen } from "#client/state/places.ts"
import { formatRoute } from "#client/state/route.ts"
import { useAct } from "#client/ui/ask.ts"
import { Problem } from "#client/ui/form.tsx"
import { saveFile } from "#client/ui/once.tsx"
import { ImportForm } from "#client/screens/admin/import-form.tsx"

export const InventoryTab = () => (
  <div class="cards">
    {can("import") && <ImportForm />}
    {can("export") && <Export />}
    {screenOpen("setup") && (
      <section class="card panel" aria-labelledby="setup-title">
        <h2 id="setup-title">{t("setup.title")}</h2>
        <p class="quiet">{t("setup.why")}</p>
        <a class="button" href={formatRoute({ screen: "setup", tab: null, selection: null, camera: null })}>
          {t("setup.open")}
        </a>
      </section>
    )}
  </div>
)

const Export = () => {
  const act = useAct()
  const done = useSignal(false)
  return (
    <section class="card panel" aria-labelledby="export-title">
      <h2 id="export-title">{t("export.title")}</h2>
      <p class="quiet">{t("export.why")}</p>
      <Problem text={act.problem} />
      <button
        type="button"
        class="button"
        aria-disabled={act.busy}
        onClick={() =>
          void act.run(
            () => call("inventory.export"),
            ({ document }) => {
              saveFile("inventory.json", "application/json", document)
              done.value = true
            },
          )
        }
      >
        {t(act.busy ? "form.busy" : "export.submit")}
      </button>
      {done.value && (
        <span class="quiet" role="status">
          {t("export.done")}
        </span>
      )}
    </section>
  )
}
