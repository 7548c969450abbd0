import assert from "node:assert/strict"
import { spawn } from "node:child_process"
import { createSocket } from "node:dgram"
import { once } from "node:events"
import { availableParallelism, tmpdir } from "node:os"
import { join } from "node:path"
import process from "node:process"
import test from "node:test"
import { startLab } from "#lab/drive/lab.ts"
import { blame, starvedSeconds, watchLab } from "#bench/blame.ts"

const QUIET = { engineStarved: 0.01, labStarved: 0.01, gc: 0.02, labSlowestMs: 3 }

test("whoever held up the polls is named: machine before lab, lab before engine", () => {
  assert.equal(blame(QUIET), "the engine")
  assert.equal(blame({ ...QUIET, gc: 0.4 }), "the engine: garbage collection")
  assert.equal(blame({ ...QUIET, labSlowestMs: 900 }), "the lab: slow answers")
  assert.match(blame({ ...QUIET, labSlowestMs: 900, labStarved: 0.5 }), /machine: the lab/)
  assert.match(blame({ ...QUIET, labSlowestMs: 900, engineStarved: 0.5 }), /machine: the engine/)
  assert.equal(blame({ engineStarved: null, labStarved: null, gc: 0, labSlowestMs: 0 }), "the engine")
})

test("a process that shares a core with others is seen to wait for it", async (t) => {
  if (starvedSeconds(process.pid) === null) return t.skip("no /proc/PID/schedstat here: Linux has it")
  const burn = "const end = Date.now() + 1500; while (Date.now() < end);"
  const children = Array.from({ length: 2 * availableParallelism() }, () => spawn(process.execPath, ["-e", burn]))
  await new Promise((wake) => setTimeout(wake, 1_200))
  const waited = children.map(({ pid }) => starvedSeconds(pid ?? 0) ?? 0)
  await Promise.all(children.map((child) => once(child, "exit")))
  assert.ok(Math.max(...waited) > 0.1, `waited ${waited.join(", ")} s`)
  assert.equal(starvedSeconds(2 ** 30), null)
})

test("the lab's own agents are asked what they answer", async () => {
  const nowhere = "127.0.0.1:9"
  const stateFile = join(tmpdir(), `heliograph-blame-${process.pid}.json`)
  const lab = await startLab({ routers: 12, seed: 1, trap: nowhere, syslog: nowhere, stateFile })
  await lab.setTargets(null, null)
  const { devices } = (await lab.importDocument()) as {
    devices: Array<{ address: string; snmp: { port: number; community?: string } }>
  }
  const router = devices.find(({ snmp }) => snmp.community !== undefined)
  assert.ok(router !== undefined)
  const watch = await watchLab(router.address, router.snmp.port, router.snmp.community ?? "")
  // An agent that never answers counts with its age, 1.5 s, each time; one that the machine held up once does not.
  let slowestMs = Number.POSITIVE_INFINITY
  for (let tries = 0; tries < 10 && slowestMs >= 1_000; tries++) {
    await new Promise((wake) => setTimeout(wake, 1_500))
    slowestMs = watch.slowestMs()
  }
  watch.close()
  await lab.stop()
  assert.ok(slowestMs < 1_000, `${slowestMs} ms`)
})

test("an agent's slowest answer is found, and one that never comes counts with its age", async () => {
  const agent = createSocket("udp4")
  let [delayMs, answers] = [0, 0]
  agent.on("message", (question, from) => {
    assert.equal(question[0], 0x30)
    assert.equal(question[1], question.length - 2, "the length is that of the whole")
    if (delayMs === Number.POSITIVE_INFINITY) return
    setTimeout(() => agent.send(question, from.port, from.address), delayMs)
    answers++
  })
  agent.bind(0, "127.0.0.1")
  await once(agent, "listening")
  const lab = await watchLab("127.0.0.1", agent.address().port, "public")
  const during = async (ms: number): Promise<number> => {
    delayMs = ms
    lab.slowestMs()
    await new Promise((wake) => setTimeout(wake, 600))
    return lab.slowestMs()
  }
  assert.ok((await during(200)) >= 100)
  assert.ok(answers > 2)
  assert.ok((await during(Number.POSITIVE_INFINITY)) > 300)
  lab.close()
  agent.close()
})
