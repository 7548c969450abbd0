/** [C7] Syslog over TLS, with a real certificate and real sockets: who gets in, what is heard, what a stranger costs. */
import assert from "node:assert/strict"
import { once } from "node:events"
import * as net from "node:net"
import { test } from "node:test"
import * as tls from "node:tls"
import * as Effect from "effect/Effect"
import type { ServerOptions } from "node:https"
import { deviceId } from "#protocol/id.ts"
import type { SyslogInput } from "#twin/input.ts"
import { makeCertificate } from "#engine/collectors/routeros/certificate.fixture.ts"
import type { SyslogListener, SyslogStats } from "#engine/collectors/syslog/listener.ts"
import { makeSyslogStats, syslogListener } from "#engine/collectors/syslog/listener.ts"

const R1 = deviceId("r1")
const until = async (condition: () => boolean): Promise<void> => {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 2))
}

/** `once` would throw at the error that comes before. */
const closed = (socket: net.Socket): Promise<unknown> => new Promise((resolve) => socket.once("close", resolve))

interface Running {
  readonly listener: SyslogListener
  readonly inputs: SyslogInput[]
  readonly stats: SyslogStats
  readonly renew: (context: ServerOptions) => void
  readonly connect: (more?: tls.ConnectionOptions & { readonly localAddress?: string }) => tls.TLSSocket
}

/** 127.0.0.1 is device r1, everybody else a stranger. */
const listening = (use: (running: Running) => Promise<void>): Promise<void> => {
  const inputs: SyslogInput[] = []
  const stats = makeSyslogStats()
  let renew: Running["renew"] = () => undefined
  const certificate = {
    serverOptions: () => ({
      ...makeCertificate("engine.example"),
      minVersion: "TLSv1.2" as const,
      ALPNProtocols: ["http/1.1"],
    }),
    follow: (apply: (context: ServerOptions) => void) => void (renew = apply),
  }
  const program = Effect.flatMap(
    syslogListener({
      host: "127.0.0.1",
      port: 0,
      tls: { port: 0, certificate },
      resolve: (address) => (address === "127.0.0.1" ? R1 : null),
      sink: { submit: (input) => (input.kind === "syslog" ? inputs.push(input) > 0 : false) },
      stats,
    }),
    (listener) => {
      const connect: Running["connect"] = (more = {}) => {
        const socket = tls.connect({
          port: listener.tlsPort ?? 0,
          host: "127.0.0.1",
          rejectUnauthorized: false,
          ...more,
        })
        socket.on("error", () => undefined)
        return socket
      }
      return Effect.promise(() => use({ listener, inputs, stats, renew: (context) => renew(context), connect }))
    },
  )
  return Effect.runPromise(Effect.scoped(program))
}

test("[C7] [X1] RFC 5425: octet-counted messages over TLS are heard; RouterOS' undivided ones too", () =>
  listening(async ({ listener, inputs, stats, connect }) => {
    assert.ok(listener.tlsPort !== null && listener.tlsPort !== listener.tcpPort)
    const socket = connect()
    await once(socket, "secureConnect")
    assert.match(socket.getProtocol() ?? "", /^TLSv1\.[23]$/)
    const line = "<30>1 2026-11-21T06:00:00Z core-1 link - - - ether1 link down"
    socket.write(`${line.length} ${line}`)
    await until(() => inputs.length === 1)
    // One write a line, as RouterOS does: one TLS record each, which may arrive together.
    socket.write("interface,info ether2 link down")
    socket.write("interface,info ether2 link up (speed 1G, full duplex)")
    await until(() => inputs.length === 3)
    socket.end()
    await until(() => stats.tcpConnections === 0)
    assert.deepEqual(
      inputs.map(({ event }) => event?.type === "interface" && [event.ifName, event.up]),
      [
        ["ether1", false],
        ["ether2", false],
        ["ether2", true],
      ],
    )
    assert.equal(stats.badStreams + stats.tlsFailed + stats.tcpRefused, 0)
  }))

test("[S8] a stranger is cut before the handshake; plain text and old versions get no line in", () =>
  listening(async ({ listener, inputs, stats, connect }) => {
    const stranger = connect({ localAddress: "127.0.0.2" })
    await closed(stranger)
    assert.equal(stats.tcpRefused, 1)
    assert.equal(stats.tlsFailed, 0)
    const plain = net.connect({ port: listener.tlsPort ?? 0, host: "127.0.0.1" })
    plain.on("error", () => undefined)
    plain.write("interface,info ether1 link down\n")
    await closed(plain)
    await until(() => stats.tlsFailed === 1)
    const old = connect({ minVersion: "TLSv1", maxVersion: "TLSv1.1", ciphers: "DEFAULT@SECLEVEL=0" })
    await closed(old)
    assert.equal(stats.tcpConnections, 0)
    assert.deepEqual(inputs, [])
  }))

test("[S8] a renewed certificate is served from the next connection on, and the open one goes on", () =>
  listening(async ({ inputs, connect, renew }) => {
    const first = connect()
    await once(first, "secureConnect")
    renew(makeCertificate("renewed.example"))
    const second = connect()
    await once(second, "secureConnect")
    assert.equal(second.getPeerCertificate().subject.CN, "renewed.example")
    first.write("interface,info ether7 link down\n")
    await until(() => inputs.length === 1)
    for (const socket of [first, second]) socket.destroy()
  }))

test("without a certificate there is no such port", () =>
  Effect.runPromise(
    Effect.scoped(
      Effect.map(
        syslogListener({
          host: "127.0.0.1",
          port: 0,
          resolve: () => null,
          sink: { submit: () => true },
          stats: makeSyslogStats(),
        }),
        ({ tlsPort }) => assert.equal(tlsPort, null),
      ),
    ),
  ))
