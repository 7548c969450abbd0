import assert from "node:assert/strict"
import { test } from "node:test"
import { poll } from "#twin/inventory.fixture.ts"
import { alone, at } from "#twin/network.fixture.ts"

test("[C17] a clock more than 2 s off is an event, once, and once when it is right again; reads in between are none", () => {
  const net = alone()
  let nth = 0
  const told = (skew: number | null) => {
    const { events } = net.apply(
      poll("r1", at(++nth * 10), { "": skew === null ? {} : { "device.clock.skew_seconds": skew } }),
    )
    return events
      .filter(({ type }) => type === "clock.skew.detected")
      .map(({ severity, old, new: now }) => [severity, old, now])
  }
  assert.deepEqual(told(0.4), [])
  assert.deepEqual(told(2), [], "2 s are allowed")
  assert.deepEqual(told(-3.14), [["warning", "+2.0 s", "-3.1 s"]])
  assert.deepEqual(told(null), [])
  assert.deepEqual(told(7), [], "as wrong as before, in the other direction")
  assert.deepEqual(told(1), [["cleared", "+7.0 s", "+1.0 s"]])
  assert.deepEqual(told(Number.POSITIVE_INFINITY), [], "refused, and changes nothing")
})

test("[C17] a clock that is wrong when it is read for the first time is told", () => {
  const net = alone()
  const { events } = net.apply(poll("r1", at(10), { "": { "device.clock.skew_seconds": 120 } }))
  assert.deepEqual(
    events.filter(({ type }) => type === "clock.skew.detected").map(({ old, new: now }) => [old, now]),
    [[null, "+120.0 s"]],
  )
})
