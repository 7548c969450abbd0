/** giving.ts: the rules of power among people, over every combination of roles. */
import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { cannotGive, cannotTouch, keptHeld, lastTaken, unknownRole, type Standing } from "#engine/people/giving.ts"
import { PERMISSIONS, permissionsOf, USER_ROLES, type Permission } from "#protocol/permission.ts"

const custom = new Map<string, readonly Permission[]>([
  ["clerk", ["users.manage", "network.read"]],
  ["nothing", []],
])
const roles = fc.uniqueArray(fc.constantFrom<string>(...USER_ROLES, "clerk", "nothing", "gone"), {
  minLength: 1,
  maxLength: 4,
})
const sites = fc.option(fc.uniqueArray(fc.constantFrom<string>("pop-1", "pop-2", "pop-3")), { nil: null })
const standing: fc.Arbitrary<Standing> = fc.record({ roles, sites, disabled: fc.boolean() })
const giver = fc
  .record({ permissions: fc.uniqueArray(fc.constantFrom(...PERMISSIONS)), sites })
  .map((one) => ({ permissions: new Set(one.permissions), sites: one.sites }))
const powerOf = ({ roles: held, disabled }: Standing): readonly Permission[] =>
  disabled ? [] : permissionsOf(held, custom)

test("[S1] after an allowed change nobody holds a permission that neither they nor the giver held before", () => {
  fc.assert(
    fc.property(giver, fc.option(standing, { nil: null }), standing, (who, before, after) => {
      const had = before === null ? [] : powerOf(before)
      const gained = powerOf(after).filter((permission) => !had.includes(permission))
      const allowed = gained.every((permission) => who.permissions.has(permission))
      const refused = cannotGive({ ...who, sites: null }, before, after, custom)
      assert.equal(refused === null, allowed, refused ?? "allowed")
      if (refused !== null) assert.match(refused, /nobody gives what they do not hold: /)
    }),
  )
})

test("[S1] whoever sees some sites makes nobody see others", () => {
  fc.assert(
    fc.property(giver, fc.option(standing, { nil: null }), standing, (who, before, after) => {
      const all = { permissions: new Set(PERMISSIONS), sites: who.sites }
      if (cannotGive(all, before, after, custom) !== null || who.sites === null || after.disabled) return
      const seen = before === null || before.disabled ? [] : before.sites
      if (after.sites === null) assert.equal(seen, null)
      else
        assert.ok(
          seen === null ||
            after.sites.every((site) => seen.includes(site)) ||
            after.sites.every((site) => who.sites?.includes(site)),
        )
    }),
  )
})

test("[S1] taking away is allowed to whoever manages users, but not from a platform administrator by another", () => {
  fc.assert(
    fc.property(giver, standing, (who, target) => {
      const above = permissionsOf(target.roles, custom).some(
        (permission) =>
          (permission === "tenants.manage" || permission === "platform.config") && !who.permissions.has(permission),
      )
      assert.equal(cannotTouch(who, target, custom) === null, !above)
      assert.equal(cannotGive({ ...who, sites: null }, target, { ...target, disabled: true }, custom), null)
    }),
  )
})

test("[S1] a tenant that had an administrator always has one; one that never had does not need one", () => {
  fc.assert(
    fc.property(fc.array(standing, { maxLength: 5 }), fc.array(standing, { maxLength: 5 }), (before, after) => {
      const manages = (users: readonly Standing[], permission: Permission): boolean =>
        users.some((user) => powerOf(user).includes(permission))
      const lost = (["users.manage", "tenants.manage"] as const).some(
        (permission) => manages(before, permission) && !manages(after, permission),
      )
      assert.equal(lastTaken(keptHeld(before, custom), keptHeld(after, custom)) !== null, lost)
    }),
  )
})

test("[S1] a role is one of the built-in ones or one of the tenant's own", () => {
  for (const name of USER_ROLES) assert.equal(unknownRole([name], custom), null)
  assert.equal(unknownRole(["clerk", "nothing"], custom), null)
  assert.match(unknownRole(["noc", "gone"], custom)!, /"gone"/)
  assert.match(unknownRole(["constructor"], custom)!, /"constructor"/)
})
