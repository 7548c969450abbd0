/** What is declared of a device: name, address, site, roles, how often it is asked. Adding and changing share it. */
import { useSignal } from "@preact/signals"
import { useMemo } from "preact/hooks"
import { t } from "#client/i18n/translate.ts"
import { call, newKey } from "#client/state/api.ts"
import type { Answer } from "#client/state/api.ts"
import { allPages } from "#client/state/pages.ts"
import { useAct, useAsk } from "#client/ui/ask.ts"
import { Choices, Field, Form, Problem, Select } from "#client/ui/form.tsx"
import { roleName } from "#client/ui/format.ts"
import { QuotaLeft, usedUp, useQuota } from "#client/ui/quota-left.tsx"
import { ROLES } from "#protocol/role.ts"
import type { Role } from "#protocol/role.ts"
import type { DeclaredDevice } from "#protocol/rest-generated.ts"

/** The `select` has only words: -1 stands for "by role". */
const BY_ROLE = "-1"
const PINGS = [BY_ROLE, "0", "1", "2", "5", "10", "20", "30", "60"] as const

export const listSites = () => allPages((cursor) => call("network.sites", { query: { limit: 1_000, cursor } }))

export const DeviceForm = (props: {
  /** Null = a new one. */
  device: DeclaredDevice | null
  etag: string | null
  /** The site that a new one starts with. */
  site?: string
  label: string
  done: (device: DeclaredDevice) => void
  cancel?: () => void
}) => {
  const { device } = props
  const act = useAct()
  const key = useMemo(newKey, [])
  const sites = useAsk(listSites)
  const quota = useQuota("max_devices")
  const full = device === null && usedUp(quota)
  const name = useSignal(device?.name ?? "")
  const address = useSignal(device?.address ?? "")
  const site = useSignal(device?.site ?? props.site ?? "")
  const roles = useSignal<readonly string[]>(device?.roles ?? ["access"])
  const poll = useSignal(String(device?.pollSeconds ?? 30))
  const ping = useSignal(device?.pingSeconds == null ? BY_ROLE : String(device.pingSeconds))
  const chosenSite = site.value === "" ? (sites.value?.[0]?.id ?? "") : site.value
  const send = (): Promise<Answer<DeclaredDevice>> => {
    const body = {
      name: name.value.trim(),
      address: address.value.trim(),
      site: chosenSite,
      roles: roles.value.filter(isRole),
      pollSeconds: Number(poll.value),
      pingSeconds: ping.value === BY_ROLE ? null : Number(ping.value),
    }
    return device === null
      ? call("inventory.createDevice", { headers: { "idempotency-key": key }, body })
      : call("inventory.updateDevice", {
          params: { id: device.id },
          headers: { "if-match": props.etag ?? undefined },
          body,
        })
  }
  return (
    <Form
      act={act}
      label={props.label}
      disabled={roles.value.length === 0 || chosenSite === "" || full}
      {...(props.cancel === undefined ? {} : { cancel: props.cancel })}
      submit={() => void act.run(send, props.done)}
    >
      <Problem text={sites.problem} />
      {full && <QuotaLeft quota={quota} />}
      <Field label={t("devices.column.name")} name="deviceName" maxLength={128} autoFocus value={name} />
      <Field
        label={t("device.address")}
        hint={t("edit.address.hint")}
        name="address"
        mono
        maxLength={64}
        value={address}
      />
      <Select
        label={t("device.site")}
        name="site"
        value={site}
        options={(sites.value ?? []).map(({ id, name: text }) => ({ value: id, label: text }))}
      />
      <Choices
        label={t("device.roles")}
        value={roles}
        options={ROLES.map((role) => ({ value: role, label: roleName(role) }))}
      />
      <div class="columns">
        <Field label={t("edit.poll")} name="pollSeconds" type="number" min={1} max={86_400} value={poll} />
        <Select
          label={t("edit.ping")}
          name="ping"
          value={ping}
          options={PINGS.map((value) => ({
            value,
            label: value === BY_ROLE ? t("edit.ping.role") : value === "0" ? t("edit.ping.never") : `${value} s`,
          }))}
        />
      </div>
    </Form>
  )
}
const isRole = (text: string): text is Role => (ROLES as readonly string[]).includes(text)
