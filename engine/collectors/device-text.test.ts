import assert from "node:assert/strict"
import { test } from "node:test"
import * as fc from "fast-check"
import { deviceText, DEVICE_TEXT_MAX } from "#engine/collectors/device-text.ts"

test("a device's text never carries a control character, an escape, a direction override or a lone surrogate", () => {
  assert.equal(deviceText("r1\0\0\0"), "r1")
  assert.equal(deviceText("a\u001b[31mb\u202ec\r\nd"), "a [31mb c d")
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 400 }), (text) => {
      const clean = deviceText(text)
      assert.ok(clean.length <= DEVICE_TEXT_MAX && clean.isWellFormed())
      // oxlint-disable-next-line no-control-regex
      assert.doesNotMatch(clean, /[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/)
    }),
  )
})
