import type { StoredProposal } from '../store/tables.ts'

type Counted = Pick<StoredProposal, 'voting_type' | 'threshold_type' | 'options' | 'votes'>

/** What a vote's text says: options in order of preference, one of them unless the voting is ranked. */
export function preferences(voting: StoredProposal['voting_type'], vote: string): readonly string[] {
  return voting === 'ranked' ? vote.split(',').map((option) => option.trim()) : [vote]
}

function firstChoices(ballots: readonly (readonly string[])[], standing: readonly string[]): Map<string, number> {
  const counts = new Map(standing.map((option) => [option, 0]))
  for (const ballot of ballots) {
    const choice = ballot.find((option) => counts.has(option))
    if (choice !== undefined) counts.set(choice, (counts.get(choice) ?? 0) + 1)
  }
  return counts
}

/** Votes for each option; of a ranked voting the first preferences. */
export function tally({ voting_type, options, votes }: Counted): Readonly<Record<string, number>> {
  return Object.fromEntries(
    firstChoices(
      votes.map(({ vote }) => preferences(voting_type, vote)),
      options,
    ),
  )
}

/** The option ahead and its votes. A ranked voting drops the weakest option, over and over, until one has more than half. */
function leader({ voting_type, options, votes }: Counted): {
  readonly option: string | undefined
  readonly count: number
} {
  const ballots = votes.map(({ vote }) => preferences(voting_type, vote))
  let standing = [...options]
  for (;;) {
    const counts = [...firstChoices(ballots, standing)].sort((a, b) => b[1] - a[1])
    const [best, second] = counts
    if (best === undefined) return { option: undefined, count: 0 }
    const settled = voting_type !== 'ranked' || best[1] * 2 > votes.length || standing.length <= 2
    if (settled) return { option: best[1] === second?.[1] ? undefined : best[0], count: best[1] }
    const weakest = counts.at(-1)?.[0]
    standing = standing.filter((option) => option !== weakest)
  }
}

export interface Result {
  readonly met: boolean
  /** `approved` or `rejected` of a yes or no, otherwise the option that won, if one did. */
  readonly result: string | undefined
}

/** Counts a voting that ends. `eligible` matters for a quorum only. */
export function count(proposal: Counted, eligible: number): Result {
  const { votes, threshold_type, voting_type } = proposal
  const ahead = leader(proposal)
  const wanted = voting_type === 'yes_no' ? (tally(proposal)['yes'] ?? 0) : ahead.count
  const met = votes.length > 0 && reached(threshold_type, wanted, votes.length, eligible)
  if (voting_type === 'yes_no') return { met, result: met ? 'approved' : 'rejected' }
  return { met: met && ahead.option !== undefined, result: met ? ahead.option : undefined }
}

function reached(type: StoredProposal['threshold_type'], wanted: number, cast: number, eligible: number): boolean {
  switch (type) {
    case 'majority':
      return wanted * 2 > cast
    case 'two_thirds':
      return wanted * 3 >= cast * 2
    case 'unanimous':
      return wanted === cast
    case 'quorum':
      return cast * 2 > eligible && wanted * 2 > cast
  }
}
