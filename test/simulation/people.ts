import type { Emulator } from '../../src/emulator/emulator.ts'
import type { Chance } from './chance.ts'
import { GROUP } from './plan-scope.ts'
import type { PersonPlan } from './plan.ts'
import type { Record } from './record.ts'

/** People have hands: what they do in the web page needs no claim. */
export function actByHand(
  { what }: PersonPlan,
  chance: Chance,
  { emulator, record }: { readonly emulator: Emulator; readonly record: Record },
): void {
  if (what === 'leave') {
    emulator.leave(GROUP, chance.pick(['bob', 'carol']))
    record.say('person', 'a sender leaves the group')
    return
  }
  const open = emulator.clinks().filter(({ status }) => status !== 'completed')
  if (open.length === 0) return
  const { clink_id } = chance.pick(open)
  const at = emulator.now()
  const by = { by: 'user_boss', key: 'web', session: 'web', at }
  if (what === 'complete') emulator.changeClink(clink_id, { status: 'completed', completed: by })
  if (what === 'release') emulator.changeClink(clink_id, { status: 'pending', claim: undefined })
  if (what === 'claim')
    emulator.changeClink(clink_id, { status: 'claimed', claim: { ...by, expires: at + 86_400_000 } })
  record.acts.push({ at: record.now, clinkId: clink_id, what })
  record.say('person', `${what} ${clink_id}`)
}
