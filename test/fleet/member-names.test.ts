import { expect, it } from 'vitest'
import { memberName } from '../../src/ledger/fleet.ts'

it('a member is named by its machine, and by as much of its mark as tells it from others there', () => {
  expect(memberName('host-1', '0123456789abcdef')).toBe('host-1 (012345)')
})
