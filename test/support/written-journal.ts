import type { Clink } from '../../src/clink/records.ts'
import type { DeadLetter } from '../../src/ledger/dead-letters.ts'
import type { Ledger } from '../../src/ledger/ledger.ts'
import type { HeldClaim, ParkedClaim } from '../../src/ledger/process.ts'

/** The wall time that the rows of it name: far ahead, so that no age makes them go. */
const AT = Date.UTC(2100, 0, 1)
export const SERVICE = 'https://clink.example'

export function clinkOf(id: string): Clink {
  return {
    clink_id: id,
    group_id: 'g1',
    sender_id: 'u1',
    sender_name: 'Ann',
    content: `content of ${id}`,
    created_at: '2026-11-25T10:00:00Z',
    status: 'pending',
  }
}

export const letterOf = (id: string, more: Partial<DeadLetter> = {}): DeadLetter => ({
  clink: clinkOf(id),
  route: 'work',
  attempts: 3,
  reason: `reason of ${id}`,
  errors: ['one', 'two'],
  tell: 'complete',
  at: AT,
  ...more,
})

export const heldOf = (id: string): HeldClaim => ({
  clink: clinkOf(id),
  route: 'work',
  running: true,
  releasing: false,
  boot: 'boot-1',
  sent: 96_000,
  end: 396_000,
  wall: AT,
  margin: 1_000,
  key: '0123456789abcdef',
  serverEnd: AT,
})

/** Since version 10. */
export function parkedOf(id: string): ParkedClaim {
  const { releasing: _, route: __, running: ___, ...claim } = heldOf(id)
  return { ...claim, why: 'no-route' }
}

/** One row of each kind at least, as the worker writes them. */
export async function writeAll(ledger: Ledger): Promise<void> {
  await ledger.begin({ claim: heldOf('running') })
  await ledger.process.park(parkedOf('parked'))
  await ledger.steps.keep(clinkOf('running'), { is: 'step', name: 'plan', value: '"planned"' })
  await ledger.process.programs.note({
    clinkId: 'running',
    boot: 'boot-1',
    group: { id: 4711, started: '1234', run: 'run-1' },
  })
  await ledger.begin({ letter: 'tried' })
  await ledger.keepResult(clinkOf('kept'), 'the answer')
  await ledger.deadLetter(letterOf('noticed', { notice: 'It failed.' }))
  await ledger.deadLetter(letterOf('due', { rerun: { step: 'due' } }))
  await ledger.deadLetter(letterOf('discarded'))
  await ledger.letters.discard('discarded')
  await ledger.late.keep({
    clink: clinkOf('late'),
    route: 'work',
    why: 'late',
    outcome: 'done',
    response: 'too late',
    attempt: 2,
    at: AT,
  })
  await ledger.cooling.set('cooling', 1_000_000_000_000)
  await ledger.addOwn('own', AT)
  await ledger.audit.note({ act: 'pause', by: 'ann', about: 'the route work', note: 'why' })
  await ledger.process.note({ session: '0011223344556677', key: 'agent-1 0123456789abcdef' })
  await ledger.process.noteServiceFact(SERVICE, 'siblings', 'refused')
  await ledger.process.noteServiceFact(SERVICE, 'identity', 'agent-1')
}
