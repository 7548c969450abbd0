/**
 * The incidents' screens in a real browser against the fixture: list, room, map and graph; by keyboard and by mouse, in
 * both languages, dark and light, at 390 px, with 2,000 incidents and with names that an attacker chose. Pictures: out/e2e/screens/.
 */
import assert from "node:assert/strict"
import { readFile } from "node:fs/promises"
import { test } from "node:test"
import type { Page } from "playwright-core"
import { manyIncidents, siteIncident } from "#client/e2e/fixture-incidents.ts"
import type { Fixture } from "#client/e2e/fixture-server.ts"
import { takePicture } from "#client/e2e/picture.ts"
import type { Rgb } from "#client/e2e/picture.ts"
import { checkAxe } from "#client/e2e/scenario.ts"
import { skip, visit as visitScreen } from "#client/e2e/visit.ts"
import type { IncidentView } from "#protocol/incident.ts"

/** --critical of the dark theme. */
const CRITICAL: Rgb = [255, 77, 109]
/** A network with room for an outage beside what is well. */
const visit: typeof visitScreen = (hash, options, run) => visitScreen(hash, { nodes: 60, ...options }, run)

const overflow = (page: Page) =>
  page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)
const SITE = 0
const ID = `${4800 + SITE}-0`
/** One site is dark: its incident, and the network as it then is. */
const outage = (fixture: Fixture, part: Partial<IncidentView> = {}): IncidentView => {
  const view = { ...siteIncident(fixture.network, SITE, Date.now()), ...part }
  fixture.incidents.set([view])
  const dark = new Set(view.impact.devices)
  for (const [slot, id] of fixture.network.nodes.id.entries()) if (dark.has(id)) fixture.kill(slot)
  return view
}
const mapReady = (page: Page) => page.waitForFunction(() => window.__twin?.ready() === true)
const newest = (fixture: Fixture, id = ID) => fixture.incidents.all().find((one) => one.id === id)

test(
  "[I11] the list by keyboard: j k, a, g, n, e, c; Enter opens the room, Escape comes back to the row",
  { skip },
  async () => {
    const prepare = (fixture: Fixture) => fixture.incidents.set(manyIncidents(fixture.network, Date.now(), 14))
    await visit("incidents", { prepare }, async ({ page, fixture, shoot }) => {
      await page.waitForSelector(".incident-row")
      assert.equal(await page.locator("[data-testid=incident-count]").innerText(), "14")
      await page.keyboard.press("j")
      await page.keyboard.press("j")
      await page.keyboard.press("k")
      const cursor = page.locator(".incidents-grid [aria-selected=true]")
      assert.equal(await cursor.getAttribute("aria-rowindex"), "2")
      const id = (await cursor.getAttribute("data-id")) ?? ""
      assert.match(await cursor.innerText(), /critical/, "the worst stands first")
      await checkAxe(page, "incident list, dark")
      await shoot("list-en-dark")
      const needs = await page.locator("[data-testid=incident-badge]").innerText()
      await page.keyboard.press("a")
      await page.waitForFunction(
        (old) => document.querySelector("[data-testid=incident-badge]")?.textContent !== old,
        needs,
      )
      assert.equal(newest(fixture, id)?.ack?.by, "admin")
      await page.keyboard.press("g")
      await page.locator(`[data-id="${id}"] .held-ack`).getByText("admin", { exact: true }).waitFor()
      await page.getByRole("button", { name: "Mine", exact: true }).click()
      assert.ok((await page.locator(".incident-row").count()) >= 1)
      await page.getByRole("button", { name: "All", exact: true }).click()
      await page.locator(".incidents-grid").focus()
      for (const [key, text, done] of [
        ["n", "called the site", () => newest(fixture, id)?.timeline.at(-1)?.text === "called the site"],
        ["e", "need field people", () => newest(fixture, id)?.escalated === true],
        ["c", "generator runs again", () => newest(fixture, id)?.state === "closed"],
      ] as const) {
        await page.keyboard.press(key)
        await page.waitForSelector("dialog[open] [name=note]")
        assert.equal(
          await page.locator("dialog [type=submit]").getAttribute("aria-disabled"),
          "true",
          "it asks for words",
        )
        await page.fill("dialog [name=note]", text)
        if (key === "c") await checkAxe(page, "close dialog")
        await page.click("dialog [type=submit]")
        await page.waitForSelector("dialog.dialog", { state: "detached" })
        assert.ok(done(), key)
        await page.locator(".incidents-grid").focus()
      }
      await page.waitForFunction(() => document.querySelector("[data-testid=incident-count]")?.textContent === "13")
      await page.keyboard.press("j")
      const next = (await cursor.getAttribute("data-id")) ?? ""
      await page.keyboard.press("Enter")
      await page.waitForSelector("[data-testid=room] h1")
      assert.equal(new URL(page.url()).hash, `#/incidents?open=${next}`)
      await page.keyboard.press("Escape")
      await page.waitForSelector(".incidents-grid")
      assert.equal(await cursor.getAttribute("data-id"), next)
      await page.getByLabel("State").selectOption("closed")
      await page.locator(`[data-id="${id}"]`).waitFor()
      await page.getByLabel("Filter incidents").fill("no such thing")
      await page.getByText("No incident matches the filters.").waitFor()
    })
  },
)

test("[X1] quiet says so, with the time of the last look; the stream brings what is new", { skip }, async () => {
  await visit("incidents", {}, async ({ page, fixture, shoot }) => {
    await page.waitForSelector("[data-testid=incidents-quiet]")
    assert.match(await page.locator("[data-testid=incidents-quiet]").innerText(), /Last look: \d\d:\d\d:\d\d \(/)
    await checkAxe(page, "no incident")
    await shoot("quiet")
    assert.equal(await page.locator("[data-testid=incident-badge]").count(), 0)
    fixture.incidents.set([siteIncident(fixture.network, SITE, Date.now())])
    fixture.tellIncidents()
    await page.waitForSelector(".incident-row")
    assert.equal(await page.locator("[data-testid=incident-badge]").innerText(), "1")
  })
})

test(
  "[U5] the room: cause with its class, evidence, impact, symptoms, story, probing; acts and downloads",
  { skip },
  async () => {
    await visit(`incidents?open=${ID}`, { prepare: outage }, async ({ page, fixture, shoot }) => {
      const view = newest(fixture) as IncidentView
      await page.waitForSelector("[data-testid=cause]")
      const cause = await page.locator("[data-testid=cause]").innerText()
      for (const { name } of view.causes[0]?.members ?? []) assert.ok(cause.includes(name), name)
      assert.match(cause, /88 %/)
      assert.match(cause, /Nothing seen so far tells these apart/)
      for (const title of ["For", "Against", "Expected, not seen yet"]) assert.ok(cause.includes(title), title)
      assert.match(await page.locator("[data-testid=impact]").innerText(), /≈ [\d,]+\n?.*4.3 % of all customers/s)
      assert.match(await page.locator("[data-testid=impact]").innerText(), /estimated, \d+ min ago/)
      assert.match(await page.locator(".unexplained").innerText(), /1 unexplained/)
      assert.match(await page.locator("[data-testid=symptoms]").innerText(), /suppressed: explained by/i)
      assert.match(await page.locator("[data-testid=probing]").innerText(), /no answer yet[\s\S]*-7.2 dBm/)
      assert.match(await page.locator("[data-testid=story]").innerText(), /Alert\s*×3/, "what repeats is one line")
      await mapReady(page)
      await checkAxe(page, "room, dark")
      await shoot("room-en-dark")
      const map = await page.locator(".blast-map").boundingBox()
      const picture = await takePicture(page)
      let red = 0
      for (let x = map?.x ?? 0; x < (map?.x ?? 0) + (map?.width ?? 0); x += 2) {
        for (let y = map?.y ?? 0; y < (map?.y ?? 0) + (map?.height ?? 0); y += 2)
          if (picture.has(x, y, CRITICAL, 0)) red++
      }
      assert.ok(red > 40, `the reach is drawn on the map: ${red} red pixels`)
      const [markdown] = await Promise.all([
        page.waitForEvent("download"),
        page.getByRole("button", { name: "Postmortem", exact: true }).click(),
      ])
      assert.equal(markdown.suggestedFilename(), `incident-${ID}.md`)
      const [json] = await Promise.all([
        page.waitForEvent("download"),
        page.getByRole("button", { name: "Postmortem as JSON" }).click(),
      ])
      assert.equal(JSON.parse(await readFile(await json.path(), "utf8")).id, ID)
      const replay = await page.getByRole("link", { name: "Replay this moment" }).getAttribute("href")
      assert.equal(replay, `#/replay?when=${new Date(view.startsAtMs - 5_000).toISOString()}`)
      const simulated = await page.locator(".room-ways").getByRole("link", { name: "What if" }).getAttribute("href")
      assert.equal(simulated, `#/whatif?open=${encodeURIComponent(`router~${view.causes[0]?.members[0]?.id}`)}`)
      await page.getByRole("button", { name: "Say what it was" }).click()
      await page.waitForSelector("dialog[open]")
      await checkAxe(page, "confirm dialog")
      await page.fill("dialog [name=note]", "power supply")
      await page.click("dialog [type=submit]")
      await page.locator(".confirmed").getByText("power supply").waitFor()
      assert.equal(newest(fixture)?.confirmed?.members[0]?.id, view.causes[0]?.members[0]?.id)
      await page.getByRole("button", { name: "Graph", exact: true }).click()
      await page.waitForFunction(() => (window.__twin?.graph().length ?? 0) > 3)
      await shoot("room-graph")
      const shown = await page.evaluate(() => window.__twin?.graph() ?? [])
      assert.ok(
        shown.every(({ kind }) => kind === "device"),
        "so few are not folded",
      )
    })
  },
)

test("[U5] from the map in one click: pin, cause, reach, graph and device lead to each other", { skip }, async () => {
  await visit("map", { prepare: outage }, async ({ page, fixture, shoot }) => {
    const view = newest(fixture) as IncidentView
    await page.waitForSelector(".incident-pin")
    assert.match(await page.locator("[data-testid=incident-tile]").innerText(), /1\s*\/ 1/)
    await mapReady(page)
    await shoot("map-night")
    await checkAxe(page, "map with incidents")
    await page.locator(".incident-pin").first().click()
    await page.waitForSelector("[data-testid=chosen] .why-list li")
    await page.waitForSelector("[data-testid=blast]")
    assert.equal(new URL(page.url()).hash.includes(`open=${ID}`), true)
    await mapReady(page)
    await checkAxe(page, "map, incident chosen")
    await shoot("map-incident")
    await page.getByRole("link", { name: "On the graph" }).click()
    await page.waitForSelector("[data-testid=graph]")
    await page.locator(".graph-incident").getByText(view.title).waitFor()
    await page.goBack()
    const cause = view.causes[0]?.members[0]?.id ?? ""
    await page.evaluate((id) => window.__twin?.select({ kind: "device", id }), cause)
    await page.locator("[data-testid=device-incidents]").getByText("is the likely cause").waitFor()
    await page.locator("[data-testid=device-incidents] a").click()
    await page.waitForSelector("[data-testid=room]")
    await page.keyboard.press("Escape")
    await page.waitForSelector(".incidents-grid")
  })
})

test(
  "[U4] the graph: devices by keyboard, folding keeps places, selection is the map's, search travels",
  { skip },
  async () => {
    await visit("graph", { nodes: 200, prepare: outage }, async ({ page, fixture, shoot }) => {
      await page.waitForFunction(() => (window.__twin?.graph().length ?? 0) > 10)
      const items = () => page.evaluate(() => window.__twin?.graph() ?? [])
      await checkAxe(page, "graph, dark")
      await shoot("graph-dark")
      await page.getByRole("button", { name: "Open all" }).click()
      await page.waitForFunction(() => window.__twin?.graph().every(({ kind }) => kind === "device") === true)
      const open = await items()
      assert.equal(open.length, 200)
      const first = open[0]
      assert.ok(first !== undefined)
      await page.mouse.click(first.x, first.y)
      await page.waitForSelector("[data-testid=panel] h2")
      assert.match(page.url(), /device=/)
      await page.keyboard.press("Escape")
      await page.locator("[data-testid=graph]").focus()
      await page.keyboard.press("ArrowDown")
      const told = await page.locator("#graph-focus").innerText()
      assert.ok(
        fixture.network.nodes.name.some((name) => told.startsWith(name)),
        told,
      )
      await page.keyboard.press("c")
      await page.waitForFunction(() => window.__twin?.graph().some(({ kind }) => kind === "layer") === true)
      const folded = await items()
      const before = new Map(open.map((item) => [item.key, item]))
      for (const item of folded) {
        const was = before.get(item.key)
        if (was !== undefined) assert.deepEqual([item.x, item.y], [was.x, was.y], item.key)
      }
      assert.equal(
        folded.reduce((sum, { count }) => sum + count, 0),
        200,
      )
      await page.getByRole("button", { name: "Sites" }).click()
      await page.waitForFunction(() => window.__twin?.graph().every(({ kind }) => kind === "site") === true)
      await shoot("graph-folded")
      const name = fixture.network.nodes.name[150] ?? ""
      await page.keyboard.press("/")
      await page.keyboard.type(name)
      await page.waitForSelector("[role=option] >> nth=0")
      await page.keyboard.press("Enter")
      await page.waitForFunction((text) => document.querySelector("[data-testid=panel] h2")?.textContent === text, name)
      await page.keyboard.press("1")
      await page.waitForSelector("[data-testid=map]")
      assert.match(page.url(), /map\?device=/, "the map has the same thing selected")
    })
  },
)

test("[U3] a cut link turns red in the graph without a new layout", { skip }, async () => {
  await visit("graph", { nodes: 40 }, async ({ page, fixture }) => {
    await page.waitForFunction(() => (window.__twin?.graph().length ?? 0) > 10)
    await page.getByRole("button", { name: "Open all" }).click()
    await page.waitForFunction(() => window.__twin?.graph().every(({ kind }) => kind === "device") === true)
    const before = await page.evaluate(() => window.__twin?.graph() ?? [])
    const reds = async () => {
      const picture = await takePicture(page)
      let red = 0
      for (let x = 70; x < 1430; x += 2) for (let y = 130; y < 820; y += 2) if (picture.has(x, y, CRITICAL, 0)) red++
      return red
    }
    assert.equal(await reds(), 0)
    fixture.cut(2)
    await page.waitForFunction(() => window.__twin?.state()?.links.status.some((byte) => byte % 8 === 3) === true)
    await page.waitForTimeout(1_200)
    assert.ok((await reds()) > 5)
    assert.deepEqual(await page.evaluate(() => window.__twin?.graph() ?? []), before)
  })
})

test("[I11] 2,000 incidents: a few dozen rows in the page, the keyboard runs through them", { skip }, async (t) => {
  const prepare = (fixture: Fixture) => fixture.incidents.set(manyIncidents(fixture.network, Date.now(), 2_000))
  await visit("incidents", { prepare, nodes: 30 }, async ({ page }) => {
    await page.waitForFunction(() => document.querySelector("[data-testid=incident-count]")?.textContent === "2,000")
    assert.ok((await page.locator(".incident-row").count()) < 40)
    await page.evaluate(() => {
      const tasks: number[] = []
      Object.assign(window, { tasks })
      new PerformanceObserver((list) => tasks.push(...list.getEntries().map((entry) => entry.duration))).observe({
        type: "longtask",
      })
    })
    await page.locator(".incidents-grid").focus()
    for (let press = 0; press < 60; press++) await page.keyboard.press("j")
    await page.keyboard.press("End")
    await page.waitForSelector('[aria-rowindex="2001"]')
    await page.keyboard.press("Home")
    await page.waitForSelector('[aria-rowindex="2"]')
    const tasks = await page.evaluate(() => (window as unknown as { tasks: number[] }).tasks)
    // Told, not asserted: it is the machine's. What bounds it are the rows in the page, few however long the list is.
    t.diagnostic(`longest task ${Math.max(0, ...tasks)} ms`)
    assert.ok((await page.locator(".incident-row").count()) < 40)
  })
})

test("[S1] a viewer sees everything and is offered no act", { skip }, async () => {
  await visit(`incidents?open=${ID}`, { prepare: outage, user: "viewer" }, async ({ page }) => {
    await page.waitForSelector("[data-testid=cause]")
    assert.equal(await page.locator("[data-act]").count(), 0)
    assert.equal(await page.getByRole("button", { name: "Say what it was" }).count(), 0)
    for (const key of ["a", "g", "n", "e", "c"]) await page.keyboard.press(key)
    assert.equal(await page.locator("dialog[open]").count(), 0)
    await page.getByRole("button", { name: "Postmortem", exact: true }).waitFor()
  })
  await visit(`incidents?open=${ID}`, { prepare: outage, user: "engineer" }, async ({ page }) => {
    await page.waitForSelector("[data-testid=cause]")
    const acts = await page.locator("[data-act]").evaluateAll((all) => all.map((one) => one.getAttribute("data-act")))
    assert.deepEqual(acts, ["ack", "note"], "an engineer acknowledges and writes")
  })
})

test("[S9] what devices and people say stays text: in list, room, map and graph", { skip }, async () => {
  const evil = '<img src=x onerror="window.pwned=1">{{7*7}}\u202Egnp.exe'
  const prepare = (fixture: Fixture) => {
    const view = siteIncident(fixture.network, SITE, Date.now())
    const cause = view.causes[0] as IncidentView["causes"][number]
    outage(fixture, {
      title: evil,
      assignee: evil,
      causes: [
        {
          ...cause,
          because: evil,
          members: cause.members.map((member) => ({ ...member, name: evil })),
          evidence: cause.evidence.map((one) => ({ ...one, text: evil, entity: evil })),
        },
      ],
      symptoms: view.symptoms.map((one) => ({ ...one, summary: evil, deviceName: evil, why: evil, entity: evil })),
      timeline: view.timeline.map((one) => ({ ...one, text: evil, by: one.by === "" ? "" : evil })),
      probing: [{ text: evil, atMs: Date.now(), answer: evil }],
    })
    fixture.network.nodes.name.forEach((_, slot) => {
      ;(fixture.network.nodes.name as string[])[slot] = `${evil}${slot}`
    })
  }
  await visit("incidents", { prepare }, async ({ page }) => {
    await page.waitForSelector(".incident-row")
    for (const hash of [`#/incidents?open=${ID}`, `#/map?open=${ID}`, `#/graph?open=${ID}`]) {
      await page.evaluate((to) => (location.hash = to), hash)
      await page.getByText(evil).first().waitFor()
      assert.equal(await page.evaluate(() => (window as unknown as { pwned?: number }).pwned), undefined)
      assert.equal(await page.locator("img[src=x]").count(), 0)
      assert.ok((await overflow(page)) <= 0, hash)
    }
  })
})

test("[U7] [U10] Portuguese and light; 390 px without sideways scrolling; axe finds nothing", { skip }, async () => {
  const light = { locale: "pt-BR", colorScheme: "light" as const }
  await visit(`incidents?open=${ID}`, { prepare: outage, context: light }, async ({ page, shoot }) => {
    await page.waitForSelector("[data-testid=cause]")
    await page.keyboard.press("t")
    await mapReady(page)
    await checkAxe(page, "room, light, pt")
    await shoot("room-pt-light")
    await page.keyboard.press("8")
    await page.waitForSelector(".incident-row")
    await checkAxe(page, "list, light, pt")
    await page.keyboard.press("9")
    await page.waitForSelector("[data-testid=graph]")
    await checkAxe(page, "graph, light, pt")
    await shoot("graph-pt-light")
  })
  const phone = { viewport: { width: 390, height: 844 } }
  await visit("incidents", { prepare: outage, context: phone }, async ({ page, shoot }) => {
    await page.waitForSelector(".incident-row")
    assert.ok((await overflow(page)) <= 0)
    await shoot("list-phone")
    await page.locator(".incident-row").first().click()
    await page.waitForSelector("[data-testid=cause]")
    assert.ok((await overflow(page)) <= 0)
    await checkAxe(page, "room, phone")
    await shoot("room-phone")
    await page.evaluate(() => (location.hash = "#/graph"))
    await page.waitForSelector("[data-testid=graph]")
    assert.ok((await overflow(page)) <= 0)
    await shoot("graph-phone")
  })
})
