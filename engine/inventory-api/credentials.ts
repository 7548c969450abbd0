/**
 * Credentials of devices by REST: written, replaced and removed, never read. The audit knows that one was set and which
 * kind of login it is; what it holds is only in the vault.
 */
import { checkedCredential } from "#engine/inventory-api/check.ts"
import { declaredDevice, deviceOf, type Reach } from "#engine/inventory-api/declared.ts"
import { notFound } from "#engine/inventory-api/edit-refused.ts"
import { actOf, planned } from "#engine/inventory-api/edits.ts"
import { sortedJson } from "#engine/sorted-json.ts"
import { NO_EDIT, type Planned } from "#engine/storage/inventory-change.ts"
import { sourcesOf, type Kind, type Stored, type StoredDevice } from "#engine/storage/inventory-rows.ts"
import type { TenantKey } from "#engine/storage/vault.ts"

export const putCredential =
  (reach: Reach, id: string, kind: Kind, given: unknown) =>
  async (stored: Stored, keyOf: () => Promise<TenantKey>): Promise<Planned<null>> => {
    const old = deviceOf(stored, reach, id)
    const plaintext = sortedJson(checkedCredential(kind, given))
    const key = await keyOf()
    const before = declaredDevice(old).credentials
    const after = [...new Set([...before, kind])]
    const act = actOf(
      "credential.set",
      "device",
      id,
      old.name,
      { kind, credentials: before },
      { kind, credentials: after },
    )
    const sealed = key.seal(id, kind, plaintext)
    keep(stored, old, new Map([...old.sealed, [kind, sealed]]), kind)
    // Written also when it is the same: giving it anew forgets the certificate that was pinned with it.
    return planned({ ...NO_EDIT, credentials: [{ device: id, kind, sealed }] }, act, null)
  }

export const removeCredential =
  (reach: Reach, id: string, kind: Kind) =>
  (stored: Stored): Planned<null> => {
    const old = deviceOf(stored, reach, id)
    if (!old.sealed.has(kind)) throw notFound()
    const before = declaredDevice(old).credentials
    const after = before.filter((one) => one !== kind)
    const act = actOf(
      "credential.delete",
      "device",
      id,
      old.name,
      { kind, credentials: before },
      { kind, credentials: after },
    )
    keep(stored, old, new Map([...old.sealed].filter(([one]) => one !== kind)), kind)
    return planned({ ...NO_EDIT, removedCredentials: [{ device: id, kind }] }, act, null)
  }

/** The device as it stands after the change of one kind. */
const keep = (stored: Stored, old: StoredDevice, sealed: ReadonlyMap<Kind, Buffer>, kind: Kind): void => {
  const device = { ...old.device, sources: sourcesOf(sealed, old.probing.pingSeconds) }
  stored.devices.set(old.name, { ...old, device, sealed, pin: kind === "routeros" ? null : old.pin })
}
