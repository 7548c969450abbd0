/** A machine that has one emulated ISP already: the second demo finds addresses of its own instead of failing. */
import assert from "node:assert/strict"
import { createSocket } from "node:dgram"
import { join } from "node:path"
import { test } from "node:test"
import { NO_POSTGRES } from "#engine/storage/database.fixture.ts"
import { choosePorts, startEngine, temporaryDataDir } from "#lab/drive/engine.ts"
import { allSeen } from "#lab/drive/scene.ts"
import { openViewer } from "#lab/drive/viewer.ts"
import { FLEET_DEFAULTS } from "#lab/fleet.ts"

const ROUTERS = 12

test("npm start beside another lab takes the next net and shows every router", { skip: NO_POSTGRES }, async () => {
  const data = await temporaryDataDir()
  // Whoever has it, we or a lab that runs beside this test: it is taken.
  const first = createSocket("udp4")
  const bound = new Promise((settle) => void first.once("listening", settle).once("error", settle))
  first.bind({ address: `${FLEET_DEFAULTS.net}.0.1`, port: FLEET_DEFAULTS.snmpPort, exclusive: true })
  await bound
  const engine = await startEngine({
    dataDir: join(data.path, "engine"),
    ports: await choosePorts(),
    command: ["lab/demo.ts", "--routers", String(ROUTERS), "--seed", "1"],
    env: { HELIOGRAPH_POLL_SECONDS: "1" },
  })
  try {
    const viewer = await openViewer(engine.url, await engine.signIn())
    await viewer.until(() => viewer.nodes() === ROUTERS && allSeen(viewer), 120_000)
    await viewer.close()
    const said = [...engine.child.lines, ...engine.child.errors].join("\n")
    assert.match(said, new RegExp(`${FLEET_DEFAULTS.net.replace(".", "\\.")}\\.0\\.0/16 has another lab`))
  } finally {
    await engine.child.stop("SIGINT")
    first.close()
    await data.remove()
  }
})
