import { z } from 'zod'
import { isoTime } from '../base/time-text.ts'
import { isKnownAbsent, type FleetView } from '../ledger/fleet.ts'

/** What is told of a fleet, by `status --fleet --json` and by HTTP. */
export const fleetView = z.object({
  version: z.literal(1),
  fleet: z.string(),
  /** Where it remembers. */
  store: z.string(),
  pauses: z.array(
    z.object({
      /** Null: everything. */
      route: z.string().nullable(),
      by: z.string(),
      note: z.string().nullable(),
      since: z.string(),
      /** Milliseconds; null: until it is resumed. */
      left: z.number().nullable(),
      /** False: no member that is there has such a route. */
      hasRoute: z.boolean(),
    }),
  ),
  members: z.array(
    z.object({
      member: z.string(),
      /** The machine's. */
      name: z.string(),
      version: z.string(),
      seen: z.string(),
      /** It was not seen for 20 s. */
      isSilent: z.boolean(),
      /** What it says of itself; null: nothing yet. */
      signs: z
        .object({
          pid: z.number(),
          isReady: z.boolean(),
          reasons: z.array(z.string()).readonly(),
          inHand: z.number(),
          taken: z.number(),
          slots: z.number(),
          routes: z.array(z.object({ name: z.string(), waits: z.array(z.string()).readonly() })).readonly(),
        })
        .nullable(),
    }),
  ),
})

export function toldOfFleet({ fleet, members, pauses, place }: FleetView): z.output<typeof fleetView> {
  const told = members.map(({ isSilent, member, name, seen, signs, version }) => {
    return { member, name, version, seen: isoTime(seen), isSilent, signs }
  })
  const paused = pauses.map(({ at, by, left, note, route }) => {
    const hasRoute = route === undefined || !isKnownAbsent(route, members)
    return { route: route ?? null, by, note: note ?? null, since: isoTime(at), left: left ?? null, hasRoute }
  })
  return { version: 1, fleet, store: place, pauses: paused, members: told }
}
