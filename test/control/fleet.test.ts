import { expect, it } from 'vitest'
import { toldOfFleet } from '../../src/control/fleet.ts'
import type { Member } from '../../src/ledger/fleet.ts'

const signs = { pid: 1, isReady: true, reasons: [], inHand: 0, taken: 0, slots: 1 }
const member: Member = { member: 'm', name: 'box', version: '1', seen: 0, age: 0, isSilent: false, signs: null }

function has(...routes: string[]): Member {
  return { ...member, signs: { ...signs, routes: routes.map((name) => ({ name, waits: [] })) } }
}

it.each([
  ['one that is there has it', [has('other'), has('work')], true],
  ['none of those who are there has it', [has('other'), { ...has('work'), isSilent: true }], false],
  ['one has not said yet what it has', [has('other'), member], true],
  ['nobody is there', [{ ...has('other'), isSilent: true }], true],
])(
  'a route that the fleet has paused is known to be there, or may be, unless all say that they have none: %s',
  (_, members, hasRoute) => {
    const pauses = [{ route: 'work', by: 'ann', at: 0, left: undefined }]
    expect(toldOfFleet({ fleet: 'f', place: 'p', members, pauses }).pauses).toMatchObject([{ route: 'work', hasRoute }])
  },
)
