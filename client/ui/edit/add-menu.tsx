/** Adding to the network from the device list: a site, a device, a link; a whole document in the administration. */
import { useSignal } from "@preact/signals"
import { t } from "#client/i18n/translate.ts"
import { can } from "#client/state/places.ts"
import { formatRoute, go } from "#client/state/route.ts"
import { Dialog } from "#client/ui/dialog.tsx"
import { DeviceForm } from "#client/ui/edit/device-form.tsx"
import { LinkForm } from "#client/ui/edit/link-form.tsx"
import { SiteForm } from "#client/ui/edit/site-form.tsx"

export const AddMenu = () => {
  const open = useSignal<"site" | "device" | "link" | null>(null)
  const close = () => (open.value = null)
  return (
    <span class="row-line">
      {can("deviceAdd") && (
        <button type="button" class="button" onClick={() => (open.value = "device")}>
          {t("edit.device.add")}
        </button>
      )}
      {can("siteEdit") && (
        <button type="button" class="button" onClick={() => (open.value = "site")}>
          {t("edit.site.add")}
        </button>
      )}
      {can("linkAdd") && (
        <button type="button" class="button" onClick={() => (open.value = "link")}>
          {t("edit.link.add")}
        </button>
      )}
      {can("import") && (
        <a class="button" href={formatRoute({ screen: "admin", tab: "inventory", selection: null, camera: null })}>
          {t("import.title")}
        </a>
      )}
      {open.value === "device" && (
        <Dialog title={t("edit.device.add")} close={close}>
          <DeviceForm
            device={null}
            etag={null}
            label={t("edit.device.add")}
            cancel={close}
            done={({ id }) => {
              close()
              go({ selection: { kind: "device", id } })
            }}
          />
        </Dialog>
      )}
      {open.value === "site" && (
        <Dialog title={t("edit.site.add")} close={close}>
          <SiteForm label={t("edit.site.add")} done={close} cancel={close} />
        </Dialog>
      )}
      {open.value === "link" && (
        <Dialog title={t("edit.link.add")} close={close}>
          <LinkForm done={close} cancel={close} />
        </Dialog>
      )}
    </span>
  )
}
