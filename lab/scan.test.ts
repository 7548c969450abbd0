/** [C12] A scan of a /24 in which the lab's routers answer: who they are, and nothing is added. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { runCommand } from "#engine/cli/command.ts"
import { deviceCommand } from "#engine/cli/device.ts"
import { parseImport } from "#engine/import/parse.ts"
import { deviceReach } from "#engine/net/reach.ts"
import { proposeImport } from "#engine/scan/import-document.ts"
import { scan } from "#engine/scan/scan.ts"
import { freePort } from "#lab/drive/child.ts"
import { Fleet } from "#lab/fleet.ts"
import { generate } from "#lab/isp/generate.ts"
import type { Isp, Persona, Router } from "#lab/isp/model.ts"
import { Network } from "#lab/isp/network.ts"

const COMMUNITY = "aurora-demo"
const VERSIONS: Readonly<Record<Persona, string>> = { routeros7: "7.18.2", routeros6: "6.49.10", frr: "8.4.4" }

const withLab = async (use: (lab: { isp: Isp; snmpPort: number; apiPort: number }) => Promise<void>): Promise<void> => {
  const drawn = generate({ routers: 120, seed: 11 })
  const personas = Object.keys(VERSIONS) as Persona[]
  const routers = drawn.routers.map((router): Router => {
    const persona = personas[router.index % personas.length]!
    return {
      ...router,
      persona,
      osVersion: VERSIONS[persona],
      snmp: { version: "2c", community: COMMUNITY },
      routeros: persona === "frr" ? null : { user: "heliograph", password: "s3cret" },
    }
  })
  const isp: Isp = { ...drawn, routers }
  const now = Date.now()
  const [snmpPort, apiPort] = [await freePort(), await freePort()]
  const fleet = await Fleet.start(new Network(isp, now), () => now, { net: "127.24", snmpPort, apiPort })
  try {
    await use({ isp, snmpPort, apiPort })
  } finally {
    fleet.close()
  }
}

test("[C12] a /24 with 120 routers is scanned: vendor, model, version and serial are right", (t) =>
  withLab(async ({ isp, snmpPort, apiPort }) => {
    const snmp = ["wrong-one", COMMUNITY].map((community) => ({ version: "2c", port: snmpPort, community }) as const)
    const report = await scan({ range: "127.24.0.0/24", snmp, apiPorts: [apiPort], reach: deviceReach(true) })
    t.diagnostic(`254 addresses, 120 devices, two credentials: ${report.tookMs} ms`)
    // A minute is asked for, 25 s are usual; the rest is for machines that do other things meanwhile.
    assert.ok(report.tookMs < 300_000)
    assert.deepEqual([report.asked, report.refused], [254, 0])
    const named = report.devices.filter(({ sysName }) => sysName !== null)
    assert.equal(named.length, isp.routers.length)
    for (const router of isp.routers) {
      const found = named.find(({ sysName }) => sysName === router.name)
      assert.ok(found, router.name)
      assert.deepEqual(found.addresses, [`127.24.0.${router.index + 1}`])
      assert.equal(found.credential, 1, "the second credential worked")
      if (router.persona === "frr") {
        assert.deepEqual([found.vendor, found.api], ["net-snmp", []])
        continue
      }
      assert.deepEqual(
        [found.vendor, found.model, found.osVersion, found.serial],
        ["MikroTik", router.model, `RouterOS ${router.osVersion}`, router.serial],
      )
      assert.deepEqual(found.api, [{ port: apiPort, speaks: true }])
    }
    assert.ok(!JSON.stringify(report).includes(COMMUNITY), "a report holds no credential")
    const site = { id: "pop-1", name: "POP 1", latitude: -23.5, longitude: -46.6 }
    const document = proposeImport(report, site, snmp)
    const parsed = parseImport(JSON.stringify(document))
    assert.ok(parsed.ok && parsed.document.devices.length === isp.routers.length)
    assert.deepEqual(parsed.document.devices[0]!.snmp, snmp[1])
  }))

test("[C12] heliograph device scan: loopback only where it is allowed, one line a device, no secret in it", () =>
  withLab(async ({ isp, snmpPort, apiPort }) => {
    const run = async (env: Record<string, string>, ...args: string[]) => {
      const [out, err]: [string[], string[]] = [[], []]
      const io = {
        env: { COMMUNITY, ...env },
        out: (line: string) => void out.push(line),
        err: (line: string) => void err.push(line),
      }
      const words = ["scan", "127.24.0.0/28", "--snmp-v2c-env", "COMMUNITY", "--snmp-port", String(snmpPort)]
      const code = await runCommand(deviceCommand, [...words, "--api-port", String(apiPort), ...args], io)
      return { code, out, err }
    }
    const refused = await run({})
    assert.equal(refused.code, 1)
    assert.match(refused.out.join("\n"), /0 devices at 0 of 0 addresses[^]*14 addresses were not asked/)
    const allowed = { HELIOGRAPH_LOOPBACK_TARGETS: "allow" }
    const { code, out, err } = await run(allowed)
    assert.equal(code, 0)
    const line = out.find((one) => one.startsWith("127.24.0.1 ")) ?? ""
    const { name, model, serial } = isp.routers[0]!
    assert.ok(line.includes(`${name}  MikroTik ${model} RouterOS 7.18.2  serial ${serial}`), line)
    assert.match(line, /SNMP by credential 1, RouterOS API on/)
    assert.match(out.at(-1)!, /^14 devices at 14 of 14 addresses of 127\.24\.0\.0\/28, in /)
    assert.ok(![...out, ...err].join().includes(COMMUNITY))
    const unplaced = await run(allowed, "--import-document")
    assert.equal(unplaced.code, 2)
    const proposed = await run(allowed, "--import-document", "--site", "pop-1,-23.5,-46.6,POP, the first")
    assert.equal(proposed.code, 0)
    const parsed = parseImport(proposed.out.join("\n"))
    assert.ok(parsed.ok && parsed.document.devices.length === 14)
    assert.equal(parsed.document.sites[0]!.name, "POP, the first")
    assert.ok(!proposed.err.join().includes(COMMUNITY))
  }))
