import type { Clink } from '../src/clink/records.ts'
import type { Ledger } from '../src/ledger/ledger.ts'

export const clink = (id: number): Clink => ({
  clink_id: `msg_${id}`,
  group_id: 'group',
  sender_id: 'sender',
  sender_name: 'sender',
  content: 'x'.repeat(200),
  created_at: '2026-01-01T00:00:00Z',
  status: 'claimed',
})

/** The writes of one clink's life: claimed, started, result, settled. */
async function live(ledger: Ledger, id: number): Promise<void> {
  const one = clink(id)
  const held = { clink: one, route: 'bench', running: false, releasing: false, boot: 'bench', sent: 0, end: 0 }
  // As a clink does that starts at once.
  void ledger.process.hold(held)
  await ledger.begin({ claim: { ...held, running: true } })
  await ledger.keepResult(one, 'an answer')
  await Promise.all([ledger.settled(one), ledger.process.drop(one.clink_id)])
}

/**
 * The lives of clinks number `from` to `to`, so many at a time.
 *
 * @param ended told the number of each that has ended.
 */
export async function liveThrough(
  ledger: Ledger,
  { from, to, atOnce, ended }: { from: number; to: number; atOnce: number; ended?: (id: number) => Promise<unknown> },
): Promise<void> {
  let next = from
  const lane = async (): Promise<void> => {
    while (next <= to) {
      const id = next
      next += 1
      await live(ledger, id)
      await ended?.(id)
    }
  }
  await Promise.all(Array.from({ length: atOnce }, lane))
}
