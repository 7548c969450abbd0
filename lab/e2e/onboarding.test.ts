/**
 * [T8] A fresh tenant to its first router on the map, by script over the public API, against an emulated router on real
 * sockets; then its life to the end: quota at N + 1, suspended, resumed, moved by file, gone without a row.
 */
import assert from "node:assert/strict"
import { execFile } from "node:child_process"
import { existsSync } from "node:fs"
import { join } from "node:path"
import process from "node:process"
import { test } from "node:test"
import { promisify } from "node:util"
import { NO_POSTGRES } from "#engine/storage/database.fixture.ts"
import { REPOSITORY } from "#lab/drive/child.ts"
import { onboard, personOf, type Person } from "#lab/drive/onboard.ts"
import { withScene, type Scene } from "#lab/drive/scene.ts"

const ONBOARDING_S_MAX = 600

interface LabDevice {
  readonly name: string
  readonly address: string
  readonly snmp: Readonly<Record<string, unknown>>
}

test(
  "[T8] first router on the map by script, then suspended, resumed, exported, offboarded",
  { skip: NO_POSTGRES },
  async (t) => {
    await withScene({ routers: 12, seed: 5, pollSeconds: 2, push: false }, async (scene) => {
      const platform = personOf(scene.engine.url, scene.cookie)
      const device = ((await scene.lab.importDocument())["devices"] as readonly LabDevice[])[0]
      assert.ok(device !== undefined)

      const startedMs = performance.now()
      const admin = await onboard(scene.engine, platform, "newnet", "small")
      await admin.call("PUT", "/sites/pop1", { name: "POP 1", latitude: -23.5, longitude: -46.6 })
      const { id } = await declare(admin, device.name, device.address)
      await admin.call("PUT", `/devices/${id}/credentials/snmp`, device.snmp)
      await until(async () => (await healthOf(admin, id)) === "ok")
      const seconds = (performance.now() - startedMs) / 1_000
      t.diagnostic(`from nothing to the first router, health ok: ${seconds.toFixed(1)} s`)
      assert.ok(seconds < ONBOARDING_S_MAX)

      await quotaStep(platform, admin, id)
      await exportStep(scene)
      await suspendStep(platform, admin, id)
      await offboardStep(scene, platform, admin)
    })
  },
)

const declare = async (admin: Person, name: string, address: string): Promise<{ readonly id: string }> =>
  (await admin.call("POST", "/devices", {
    name,
    address,
    site: "pop1",
    roles: ["core"],
    pollSeconds: 2,
    pingSeconds: 0,
  })) as { readonly id: string }

const healthOf = async (admin: Person, id: string): Promise<string> =>
  ((await admin.call("GET", `/devices/${id}`)) as { readonly health: string }).health

/** At N a device more is refused with 429 and its name; the breach is an event of the tenant, and counted. */
const quotaStep = async (platform: Person, admin: Person, id: string): Promise<void> => {
  await platform.call("PUT", "/tenants/newnet/quotas", { max_devices: 2 })
  await declare(admin, "second", "192.0.2.2")
  await assert.rejects(declare(admin, "third", "192.0.2.3"), /429 .*max_devices/)
  const { items } = (await admin.call("GET", "/quotas")) as {
    readonly items: ReadonlyArray<{ name: string; limit: number; used: number; exceeded: number }>
  }
  const { limit, used, exceeded } = items.find(({ name }) => name === "max_devices") ?? {}
  assert.deepEqual([limit, used, exceeded], [2, 2, 1])
  await until(async () => {
    const events = (await admin.call("GET", "/events?type=quota.exceeded")) as {
      readonly items: ReadonlyArray<{ subjectKind: string; entity: string; old: string }>
    }
    const [event] = events.items
    return event?.subjectKind === "tenant" && event.entity === "max_devices" && event.old === "2"
  })
  assert.equal(await healthOf(admin, id), "ok")
}

const suspendStep = async (platform: Person, admin: Person, id: string): Promise<void> => {
  await platform.call("PATCH", "/tenants/newnet", { suspended: true })
  assert.equal(await admin.knock("/devices"), 401, "at once")
  await platform.call("PATCH", "/tenants/newnet", { suspended: false })
  assert.equal(await admin.knock("/devices"), 401, "its sessions ended for good")
  const rows = (await platform.call("GET", "/tenants/newnet")) as { readonly devices: number; readonly users: number }
  assert.deepEqual([rows.devices, rows.users], [2, 1], "nothing was deleted")
  assert.ok(id.length > 0)
}

/** By the command line, beside the running engine. */
const heliograph = async (scene: Scene, ...words: readonly string[]): Promise<string> => {
  const env = { ...process.env, HELIOGRAPH_DATA_DIR: scene.engine.dataDir }
  const { stdout } = await promisify(execFile)(process.execPath, ["engine/cli.ts", "tenant", ...words], {
    cwd: REPOSITORY,
    env,
  })
  return stdout
}

const exportStep = async (scene: Scene): Promise<void> => {
  const file = join(scene.engine.dataDir, "newnet.hel")
  const said = await heliograph(scene, "export", "newnet", file)
  assert.match(said, /device\t2\t/)
  assert.ok(existsSync(file))
  await assert.rejects(heliograph(scene, "import", file), /is here already/)
  assert.match(await heliograph(scene, "list"), /newnet\tnewnet\tsmall\truns\t2 devices/)
}

const offboardStep = async (scene: Scene, platform: Person, admin: Person): Promise<void> => {
  const file = join(scene.engine.dataDir, "newnet.hel")
  const { rows } = (await platform.call("POST", "/tenants/newnet/offboard", {
    confirm: "newnet",
    reason: "the test is over",
  })) as { readonly rows: Readonly<Record<string, number>> }
  assert.equal(rows["device"], 2)
  assert.equal(rows["tenant"], 1)
  assert.equal(await platform.knock("/tenants/newnet"), 404)
  assert.equal(await admin.knock("/devices"), 401)
  // Back from its file: what was declared is there again, and runs.
  await heliograph(scene, "import", file)
  await heliograph(scene, "resume", "newnet")
  const back = (await platform.call("GET", "/tenants/newnet")) as { readonly devices: number }
  assert.equal(back.devices, 2)
  assert.match(
    await heliograph(scene, "offboard", "newnet", "--confirm", "newnet", "--reason", "r"),
    /0 rows of it are left/,
  )
}

const until = async (met: () => Promise<boolean>, withinMs = 60_000): Promise<void> => {
  const deadline = performance.now() + withinMs
  while (!(await met())) {
    if (performance.now() > deadline) throw new Error("it did not come to be")
    await new Promise((wake) => setTimeout(wake, 200))
  }
}
