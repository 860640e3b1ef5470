import type { Emulator, SeenRequest, StoredClink } from '../../src/emulator/emulator.ts'

/** What happened to a clink, by name, renewals left out. */
export function story(emulator: Emulator, id: string): string[] {
  return emulator
    .history(id)
    .map(({ what }) => what)
    .filter((what) => what !== 'renewed')
}

export function times(emulator: Emulator, id: string, what: string): number {
  return emulator.history(id).filter((entry) => entry.what === what).length
}

/** When something happened first (or for the `nth` time), by the emulator's clock. */
export function when(emulator: Emulator, id: string, what: string, nth = 1): number {
  const entry = emulator.history(id).filter((one) => one.what === what)[nth - 1]
  if (entry === undefined) throw new Error(`${id} was not ${what} ${nth} times: ${story(emulator, id).join(', ')}`)
  return entry.at
}

/** The largest number of clinks that were claimed at the same time, by the emulator's record. */
export function mostClaimed(emulator: Emulator): number {
  let most = 0
  let now = 0
  for (const { by } of claimEdges(emulator)) {
    now += by
    most = Math.max(most, now)
  }
  return most
}

/** How many clinks were claimed just before a moment. A claim that ended in the same millisecond had ended: its end came first. */
export function claimedAt(emulator: Emulator, at: number): number {
  return claimEdges(emulator).reduce(
    (sum, edge) => (edge.at < at || (edge.at === at && edge.by < 0) ? sum + edge.by : sum),
    0,
  )
}

export function stillClaimed(emulator: Emulator): string[] {
  return emulator.clinks().flatMap(({ clink_id: id, status }) => (status === 'claimed' ? [id] : []))
}

function claimEdges(emulator: Emulator): { at: number; by: number }[] {
  const edges = emulator.clinks().flatMap(({ clink_id: id }) =>
    emulator.history(id).flatMap(({ at, what }) => {
      if (what === 'claimed') return [{ at, by: 1 }]
      return what === 'created' || what === 'renewed' ? [] : [{ at, by: -1 }]
    }),
  )
  return edges.sort((a, b) => a.at - b.at || a.by - b.by)
}

export function requests(emulator: Emulator, operation: string): SeenRequest[] {
  return emulator.requests().filter((request) => request.operation === operation)
}

/** Requests about one clink: claims, releases, completions. */
export function requestsFor(emulator: Emulator, id: string): SeenRequest[] {
  return emulator.requests().filter(({ path }) => path.includes(`/clinks/${id}/`))
}

/** Which requests a fault concerns: polls that claim, and no lists. */
export const claimingPoll = { operation: 'check_inbox', query: { claim: 'true' } } as const

/** Looks for what our owner holds. */
export const lookForClaims = { operation: 'check_inbox', query: { status: 'claimed' } } as const

export function isClaimingPoll(request: SeenRequest): boolean {
  return request.operation === 'check_inbox' && String(request.params['claim']) === 'true'
}

/** A look for what our owner holds: what a lost poll may have claimed, and what was held before the first one. */
export function isLookForClaims(request: SeenRequest): boolean {
  return request.operation === 'check_inbox' && request.params['status'] === 'claimed'
}

export function claimingPolls(emulator: Emulator): SeenRequest[] {
  return emulator.requests().filter(isClaimingPoll)
}

/** The clinks that carry responses. */
export function answers(emulator: Emulator): StoredClink[] {
  return emulator.clinks().filter((clink) => clink.answers !== undefined)
}
