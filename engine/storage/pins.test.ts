/** [C1] The certificate seen first stays pinned over restarts, until the operator gives the credential anew. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import * as Effect from "effect/Effect"
import type { RouterOsCredential } from "#engine/collectors/target.ts"
import type { ImportDocument } from "#engine/import/document.ts"
import { NO_POSTGRES, useTestDatabase } from "#engine/storage/database.fixture.ts"
import { importInventory, loadTargets } from "#engine/storage/inventory.ts"
import { storePin } from "#engine/storage/pins.ts"
import { openVault } from "#engine/storage/vault.ts"
import type { TenantId } from "#protocol/id.ts"

const run = Effect.runPromise
const pin = (octet: string): string => Array.from({ length: 32 }, () => octet).join(":")
const LOGIN: RouterOsCredential = { port: 8729, user: "helio", password: "p4ssword", tls: true }
const documentOf = (routeros: RouterOsCredential | null): ImportDocument => ({
  sites: [{ id: "pop", name: "POP", latitude: 0, longitude: 0 }],
  devices: [{ name: "r1", address: "10.0.0.1", site: "pop", roles: ["core"], snmp: null, routeros, pollSeconds: null }],
  links: [],
})

describe("pins", { skip: NO_POSTGRES }, () => {
  const it = useTestDatabase()
  const importing = async (tenant: TenantId, routeros: RouterOsCredential | null): Promise<void> => {
    const vault = await run(openVault(it.db, { dataDir: it.dataDir }))
    await run(importInventory(it.db, vault, tenant, documentOf(routeros), { defaultPollSeconds: 30 }))
  }
  const target = async (tenant: TenantId) => {
    const vault = await run(openVault(it.db, { dataDir: it.dataDir }))
    const [only] = await run(loadTargets(it.db, vault, tenant, () => assert.fail("a credential did not open")))
    return only ?? assert.fail("no target")
  }

  test("the first one is kept, a second is not, and the next start polls with it", async () => {
    const tenant = await it.newTenant()
    await importing(tenant, LOGIN)
    const { device } = await target(tenant)
    assert.equal(await run(storePin(it.db, tenant, device, pin("AA"))), true)
    assert.equal(await run(storePin(it.db, tenant, device, pin("BB"))), false)
    assert.deepEqual((await target(tenant)).routeros, { ...LOGIN, fingerprint: pin("AA") })
  })

  test("importing the same credential again keeps it; another one is trusted anew", async () => {
    const tenant = await it.newTenant()
    await importing(tenant, LOGIN)
    const { device } = await target(tenant)
    await run(storePin(it.db, tenant, device, pin("AA")))
    await importing(tenant, LOGIN)
    assert.equal((await target(tenant)).routeros?.fingerprint, pin("AA"))
    await importing(tenant, { ...LOGIN, password: "0ther-passw0rd" })
    assert.equal((await target(tenant)).routeros?.fingerprint, undefined)
  })

  test("what the operator pinned counts, and a session without TLS has nothing to pin", async () => {
    const tenant = await it.newTenant()
    await importing(tenant, { ...LOGIN, fingerprint: pin("CC") })
    const { device } = await target(tenant)
    await run(storePin(it.db, tenant, device, pin("AA")))
    assert.equal((await target(tenant)).routeros?.fingerprint, pin("CC"))
    await importing(tenant, { ...LOGIN, port: 8728, tls: false })
    await run(storePin(it.db, tenant, device, pin("AA")))
    assert.equal((await target(tenant)).routeros?.fingerprint, undefined)
  })

  test("[T1] another tenant cannot pin it", async () => {
    const [a, b] = [await it.newTenant(), await it.newTenant()]
    await importing(a, LOGIN)
    const { device } = await target(a)
    assert.equal(await run(storePin(it.db, b, device, pin("AA"))), false)
    assert.equal((await target(a)).routeros?.fingerprint, undefined)
  })
})
