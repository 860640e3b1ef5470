import { expect, it } from 'vitest'
import { isChosen, type Choice } from '../../src/ledger/choice.ts'
import type { LateResult } from '../../src/ledger/late-results.ts'
import { clink } from '../support/sample-records.ts'
import { letter } from '../support/states.ts'

const about = { ...clink, group_slug: 'ops', group_id: 'grp_7' }
const dead = { ...letter, clink: about, route: 'work', at: 5_000, reason: 'It Failed', errors: ['Timeout', 'refused'] }

it.each<[Choice, boolean]>([
  [{}, true],
  [{ route: 'work' }, true],
  [{ route: 'other' }, false],
  [{ since: 5_000 }, true],
  [{ since: 5_001 }, false],
  [{ group: 'ops' }, true],
  [{ group: 'grp_7' }, true],
  [{ group: 'dev' }, false],
  [{ error: 'it failed' }, true],
  [{ error: 'TIMEOUT' }, true],
  [{ error: 'nothing of it' }, false],
  [{ route: 'work', since: 1, group: 'ops', error: 'refused' }, true],
  [{ route: 'work', since: 1, group: 'ops', error: 'nothing of it' }, false],
])('the letters that are meant: %o takes it: %s', (choice, isMeant) => {
  expect(isChosen(choice, dead)).toBe(isMeant)
})

it('a late result without a reason is found by no text of an error, and by all else', () => {
  const late: LateResult = { clink: about, route: 'work', attempt: 1, why: 'late', outcome: 'done', at: 5_000 }
  expect(isChosen({ route: 'work', group: 'ops' }, late)).toBe(true)
  expect(isChosen({ error: 'e' }, late)).toBe(false)
  expect(isChosen({ error: 'away' }, { ...late, reason: 'it was AWAY' })).toBe(true)
})
