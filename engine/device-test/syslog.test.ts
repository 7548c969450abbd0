/** [C23] Whether a device's syslog arrives: what was heard and what it means, or why nothing was. */
import assert from "node:assert/strict"
import * as dgram from "node:dgram"
import { once } from "node:events"
import { test, type TestContext } from "node:test"
import { listenForSyslog } from "#engine/device-test/syslog.ts"

const freePort = async (): Promise<number> => {
  const socket = dgram.createSocket("udp4").bind(0, "127.0.0.1")
  await once(socket, "listening")
  const { port } = socket.address()
  await new Promise<void>((done) => socket.close(() => done()))
  return port
}

/** Repeats a line until the test ends: nobody tells when the listener is up. */
const speaking = (t: TestContext, port: number, line: string, from = "127.0.0.1"): void => {
  const socket = dgram.createSocket("udp4")
  const timer = setInterval(() => socket.send(line, port, "127.0.0.1", () => undefined), 10)
  socket.bind(0, from)
  t.after(() => {
    clearInterval(timer)
    socket.close()
  })
}

test("[C23] the first line from the device is shown, with what the twin makes of it", async (t) => {
  const port = await freePort()
  speaking(t, port, "interface,info ether1 link down")
  const { heard, detail } = await listenForSyslog("127.0.0.1", port, 5_000)
  assert.equal(heard, true)
  assert.match(detail, /ether1 link down.*means: interface/)
})

test("[C23] a line of no meaning is heard all the same, and its control characters stay harmless", async (t) => {
  const port = await freePort()
  speaking(t, port, "<30>system,info hello \u001b[31m<b>")
  const { heard, detail } = await listenForSyslog("127.0.0.1", port, 5_000)
  assert.equal(heard, true)
  assert.ok(!detail.includes("\u001b"), detail)
  assert.match(detail, /keeps as it is/)
})

test("[C23] lines of others are not the device's: silence, with a hint", async (t) => {
  const port = await freePort()
  speaking(t, port, "interface,info ether1 link down", "127.0.0.7")
  const { heard, detail } = await listenForSyslog("127.0.0.1", port, 400)
  assert.equal(heard, false)
  assert.match(detail, /no line on UDP \d+ in 0\.4 s \(\d+ came from other addresses/)
})

test("[C23] a port that is taken is not tried, and says who may have it", async (t) => {
  const taken = dgram.createSocket("udp4").bind(0)
  await once(taken, "listening")
  t.after(() => taken.close())
  const { heard, detail } = await listenForSyslog("127.0.0.1", taken.address().port, 400)
  assert.equal(heard, null)
  assert.match(detail, /another program listens/)
})

const NO_IPV6 = await new Promise<string | false>((settle) => {
  const socket = dgram.createSocket("udp6")
  socket.once("error", () =>
    settle("this machine has no IPv6 loopback; enable: sysctl net.ipv6.conf.lo.disable_ipv6=0"),
  )
  socket.bind(0, "::1", () => socket.close(() => settle(false)))
})

test("[C23] over IPv6, however the address is spelled", { skip: NO_IPV6 }, async (t) => {
  for (const spelling of ["::1", "0:0:0:0:0:0:0:1", "0000::0001"]) {
    const port = await freePort()
    const socket = dgram.createSocket("udp6")
    const timer = setInterval(() => socket.send("interface,info ether1 link up", port, "::1", () => undefined), 10)
    t.after(() => clearInterval(timer))
    const { heard, detail } = await listenForSyslog(spelling, port, 5_000)
    clearInterval(timer)
    socket.close()
    assert.equal(heard, true, `${spelling}: ${detail}`)
  }
})

test("[C23] a device that is named by its IPv4-mapped address is heard over IPv4", { skip: NO_IPV6 }, async (t) => {
  const port = await freePort()
  speaking(t, port, "interface,info ether1 link down")
  assert.equal((await listenForSyslog("::ffff:127.0.0.1", port, 5_000)).heard, true)
})
