import assert from "node:assert/strict"
import * as dgram from "node:dgram"
import { once } from "node:events"
import * as net from "node:net"
import { test } from "node:test"
import * as Effect from "effect/Effect"
import type { SyslogInput } from "#twin/input.ts"
import type { SyslogListener, SyslogOptions, SyslogStats } from "#engine/collectors/syslog/listener.ts"
import { deviceId } from "#protocol/id.ts"
import { makeSyslogStats, syslogListener } from "#engine/collectors/syslog/listener.ts"

const R1 = deviceId("r1")
const turn = () => new Promise<void>((resolve) => setTimeout(resolve, 2))
/** Waits for the event loop, not for a time: a test that never gets there is ended by the runner. */
const until = async (condition: () => boolean): Promise<void> => {
  while (!condition()) await turn()
}

interface Running {
  readonly listener: SyslogListener
  readonly inputs: SyslogInput[]
  readonly stats: SyslogStats
}

/** Listens on loopback; 127.0.0.1 is device r1, everybody else a stranger. */
const listening = (use: (running: Running) => Promise<void>, more: Partial<SyslogOptions> = {}): Promise<void> => {
  const inputs: SyslogInput[] = []
  const stats = makeSyslogStats()
  const options: SyslogOptions = {
    host: "127.0.0.1",
    port: 0,
    resolve: (address) => (address === "127.0.0.1" ? R1 : null),
    sink: { submit: (input) => (input.kind === "syslog" ? inputs.push(input) > 0 : false) },
    stats,
    ...more,
  }
  const program = Effect.flatMap(syslogListener(options), (listener) =>
    Effect.promise(() => use({ listener, inputs, stats })),
  )
  return Effect.runPromise(Effect.scoped(program))
}

const sendUdp = async (port: number, lines: readonly string[], from = "127.0.0.1"): Promise<void> => {
  const socket = dgram.createSocket("udp4")
  await new Promise<void>((resolve) => socket.bind(0, from, resolve))
  for (let i = 0; i < lines.length; i += 100)
    await Promise.all(
      lines.slice(i, i + 100).map((line) => new Promise((resolve) => socket.send(line, port, "127.0.0.1", resolve))),
    )
  socket.close()
}

const connectTcp = async (port: number, from = "127.0.0.1"): Promise<net.Socket> => {
  const socket = net.connect({ port, host: "127.0.0.1", localAddress: from })
  socket.on("error", () => undefined)
  await once(socket, "connect")
  return socket
}

/** The promise of SyslogStats, checked. */
const heardOf = ({ unknownSource, empty, overQuota, echoes, filtered }: SyslogStats): number =>
  unknownSource + empty + overQuota + echoes + filtered
const accountedFor = ({ stats, inputs, listener }: Running): void => {
  assert.equal(stats.received, heardOf(stats) + stats.accepted)
  const taken = inputs.reduce((lines, { count }) => lines + count, 0)
  assert.equal(stats.accepted, taken + listener.folding() + listener.waiting() + stats.lost)
}

test("[C7] a line over UDP becomes a typed input of the device with that address", () => {
  const events: string[] = []
  return listening(
    async (running) => {
      await sendUdp(running.listener.udpPort, ["interface,info ether1 link down"])
      await until(() => running.inputs.length === 1)
      const [input] = running.inputs
      assert.ok(input !== undefined)
      assert.ok(Number.isInteger(input.atMs))
      assert.deepEqual(input, {
        kind: "syslog",
        device: R1,
        atMs: input.atMs,
        severity: 6,
        topics: ["interface", "info"],
        raw: "interface,info ether1 link down",
        message: "ether1 link down",
        event: { type: "interface", ifName: "ether1", up: false },
        count: 1,
      })
      assert.deepEqual(events, ["r1 interface"])
      accountedFor(running)
    },
    { onEvent: (device, event) => events.push(`${device} ${event.type}`) },
  )
})

test("[C7] strangers are counted and not heard, whatever host they claim to be", () =>
  listening(async (running) => {
    await sendUdp(running.listener.udpPort, ["<30>Oct  2 16:51:21 r1 ether1 link down"], "127.0.0.2")
    const socket = await connectTcp(running.listener.tcpPort, "127.0.0.2")
    await once(socket, "close")
    await until(() => running.stats.unknownSource === 1 && running.stats.tcpRefused === 1)
    assert.deepEqual(running.inputs, [])
    accountedFor(running)
  }))

test("[C7] TCP: counted frames, lines, and RouterOS' lines without an end", () =>
  listening(
    async (running) => {
      const socket = await connectTcp(running.listener.tcpPort)
      socket.write("9 <13>a\nb c<14>second\nsystem,info no end")
      await until(() => running.inputs.length === 3)
      assert.deepEqual(
        running.inputs.map(({ message }) => message),
        ["a b c", "second", "no end"],
      )
      socket.write("cut off by the close")
      socket.end()
      await until(() => running.inputs.length === 4 && running.stats.tcpConnections === 0)
      accountedFor(running)
    },
    { tcp: { maxConnections: 4, idleMs: 60_000, flushMs: 20 } },
  ))

test("[C7] TCP: too many connections, an idle one and a stream that is no syslog are closed and counted", () =>
  listening(
    async ({ listener, stats }) => {
      const first = await connectTcp(listener.tcpPort)
      await until(() => stats.tcpConnections === 1)
      const second = await connectTcp(listener.tcpPort)
      await once(second, "close")
      await until(() => stats.tcpRefused === 1)
      // Idle: closed by the listener.
      first.resume()
      await once(first, "close")
      await until(() => stats.tcpConnections === 0)
      const third = await connectTcp(listener.tcpPort)
      third.write("99999 <13>")
      await once(third, "close")
      assert.equal(stats.badStreams, 1)
    },
    { tcp: { maxConnections: 1, idleMs: 100, flushMs: 20 } },
  ))

test("[C8] a burst of 20,000 lines: what is not heard is counted, down to the kernel's own drops", () =>
  listening(async (running) => {
    const { listener, stats } = running
    const sent = 20_000
    await sendUdp(
      listener.udpPort,
      Array.from({ length: sent }, (_, i) => `<13>line ${i}`),
    )
    if (listener.kernelDrops() === null) await until(() => stats.received > 0)
    else await until(() => stats.received + (listener.kernelDrops() ?? 0) === sent)
    accountedFor(running)
    assert.ok(stats.accepted >= 1_000)
    assert.ok(listener.receiveBufferBytes > 0)
  }))

test("[C8] a device over its quota loses its own lines only, counted", () =>
  listening(
    async (running) => {
      await sendUdp(
        running.listener.udpPort,
        Array.from({ length: 50 }, (_, i) => `<13>shout ${i}`),
      )
      await sendUdp(running.listener.udpPort, ["<13>whisper"], "127.0.0.3")
      await until(() => running.stats.received === 51)
      assert.ok(running.stats.overQuota >= 35)
      assert.ok(running.inputs.some(({ device, message }) => device === "r3" && message === "whisper"))
      accountedFor(running)
    },
    {
      quota: { linesPerSecond: 1, burst: 10, sources: 10 },
      resolve: (address) => (address === "127.0.0.1" ? R1 : address === "127.0.0.3" ? deviceId("r3") : null),
    },
  ))

test("[C8] a full inbox is offered the lines again, in order; none is lost", () => {
  let room = false
  const inputs: SyslogInput[] = []
  return listening(
    async (running) => {
      const mine = { ...running, inputs }
      await sendUdp(
        running.listener.udpPort,
        Array.from({ length: 20 }, (_, i) => `<13>line ${i}`),
      )
      await until(() => running.stats.accepted === 20)
      assert.equal(running.listener.waiting(), 20)
      accountedFor(mine)
      room = true
      await until(() => inputs.length === 20)
      assert.deepEqual(
        inputs.map(({ message }) => message),
        Array.from({ length: 20 }, (_, i) => `line ${i}`),
      )
      accountedFor(mine)
    },
    { sink: { submit: (input) => room && input.kind === "syslog" && inputs.push(input) > 0 } },
  )
})

test("[C8] repeats arrive as one line with their count when their window is over", () =>
  listening(
    async (running) => {
      await sendUdp(
        running.listener.udpPort,
        Array.from({ length: 30 }, () => "<13>fan slow"),
      )
      const heard = () => running.inputs.reduce((lines, { count }) => lines + count, 0)
      await until(() => heard() === 30)
      assert.equal(running.inputs[0]?.count, 1)
      assert.ok(running.inputs.length < 30)
      accountedFor(running)
    },
    { fold: { windowMs: 500, capacity: 100 } },
  ))

test("[C8] the severity filter lets through what is grave enough, and every typed event", () =>
  listening(
    async (running) => {
      const lines = [
        "<14>chatter",
        "<12>fan slow",
        "interface,info ether1 link down",
        "dns,debug query",
        "<11>power lost",
      ]
      await sendUdp(running.listener.udpPort, lines)
      await until(() => running.stats.received === lines.length)
      assert.deepEqual(
        running.inputs.map(({ message }) => message),
        ["fan slow", "ether1 link down", "power lost"],
      )
      assert.equal(running.stats.filtered, 2)
      accountedFor(running)
    },
    { filter: { severityMax: 4, eventOnly: false } },
  ))

test("[C8] event-only mode marks every line as no evidence", () =>
  listening(
    async (running) => {
      await sendUdp(running.listener.udpPort, ["interface,info ether1 link down", "<12>fan slow"])
      await until(() => running.inputs.length === 2)
      assert.ok(running.inputs.every(({ eventOnly }) => eventOnly === true))
      assert.equal(running.inputs[0]?.event?.type, "interface")
      accountedFor(running)
    },
    { filter: { severityMax: 7, eventOnly: true } },
  ))

test("[C7] [C8] a row of a device's own log is a line like any other, and heard once when syslog brings it too", () => {
  const events: string[] = []
  return listening(
    async (running) => {
      running.listener.hear(R1, "interface,info", "ether1 link down")
      await sendUdp(running.listener.udpPort, ["interface,info ether1 link down", "<12>fan slow"])
      await until(() => running.stats.received === 3)
      running.listener.hear(R1, "system,error", "fan slow")
      running.listener.hear(R1, "", "no topics\u001b[2J")
      running.listener.hear(R1, "system,info", "\u0000")
      assert.deepEqual(
        running.inputs.map(({ message, severity, topics }) => [message, severity, topics.join(" ")]),
        [
          ["ether1 link down", 6, "interface info"],
          ["fan slow", 4, ""],
          ["no topics [2J", 5, ""],
        ],
      )
      assert.deepEqual([running.stats.echoes, running.stats.empty, events], [2, 1, ["interface"]])
      accountedFor(running)
    },
    { onEvent: (_, event) => events.push(event.type) },
  )
})

test("a port in use is named, with what to do", () =>
  listening(async ({ listener }) => {
    const options: SyslogOptions = {
      host: "127.0.0.1",
      port: listener.udpPort,
      resolve: () => null,
      sink: { submit: () => true },
      stats: makeSyslogStats(),
    }
    const error = await Effect.runPromise(Effect.flip(Effect.scoped(syslogListener(options))))
    assert.equal(error._tag, "SyslogListenFailed")
    assert.match(error.detail, /UDP 127\.0\.0\.1:\d+: another program listens there/)
  }))
