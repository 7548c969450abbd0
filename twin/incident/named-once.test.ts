/** Which device an alert is of is said once: by its summary, or before it. */
import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { namedOnce } from "#twin/incident/named-once.ts"

const line = (deviceName: string, summary: string): string => namedOnce({ deviceName, summary })

test("[I8] a summary that names the device stands alone, any other has the name before it", () => {
  assert.equal(line("R1", "R1 has no PPPoE session left"), "R1 has no PPPoE session left")
  assert.equal(line("R1", "CPU of R1 is at 97.5 %"), "CPU of R1 is at 97.5 %")
  assert.equal(line("R1", "the session of e1 (R1)"), "the session of e1 (R1)")
  assert.equal(line("R1", "the service dns is down"), "R1: the service dns is down")
})

test("[I8] a part of another name does not name it", () => {
  for (const summary of ["R10 is silent", "XR1 is silent", "R1.lan is silent", "bR1-a is silent", "the port R1_up"])
    assert.equal(line("R1", summary), `R1: ${summary}`)
  // The second time it does.
  assert.equal(line("R1", "R10 lost R1"), "R10 lost R1")
})

test("[property] [I8] whatever a device is called: the line ends with the summary, and the name is in it", () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (name, summary) => {
      const said = line(name, summary)
      assert.ok(said.endsWith(summary) && said.includes(name))
      assert.ok(said === summary || said === `${name}: ${summary}`)
    }),
  )
})
