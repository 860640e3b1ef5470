import type { HILRequired, Proposal } from '../../clink/records.ts'
import { seenGroup } from '../access.ts'
import type { Call } from '../call.ts'
import { show, within, type Input } from '../intake/input.ts'
import { Refusal } from '../refusal.ts'
import type { StoredProposal, StoredVote } from '../store/tables.ts'
import { stamp, type World } from '../world.ts'
import { homeOf } from './checkpoint-graph.ts'
import { openProposal } from './proposal-store.ts'
import { count, preferences, tally } from './tally.ts'
import { askHuman } from './verifications.ts'

const votingTypes = ['yes_no', 'single', 'ranked'] as const
const thresholdTypes = ['majority', 'two_thirds', 'unanimous', 'quorum'] as const

function record(world: World, proposal: StoredProposal, { whole = true } = {}): Proposal {
  const { votes, finalized, deadline, checkpoint_id } = proposal
  const linked = checkpoint_id === undefined ? undefined : homeOf(world, checkpoint_id)
  return {
    proposal_id: proposal.proposal_id,
    group_id: proposal.group_id,
    title: proposal.title,
    description: proposal.description,
    proposer_id: proposal.proposer_id,
    voting_type: proposal.voting_type,
    threshold_type: proposal.threshold_type,
    options: proposal.options,
    status: finalized === undefined ? 'open' : 'finalized',
    created_at: stamp(world, proposal.created),
    deadline: deadline === undefined ? undefined : stamp(world, deadline),
    finalized_at: finalized === undefined ? undefined : stamp(world, finalized.at),
    result: finalized?.result,
    threshold_met: finalized?.met,
    votes: whole
      ? votes.map(({ voter_id, vote, comment, at }) => ({ voter_id, vote, comment, voted_at: stamp(world, at) }))
      : undefined,
    vote_count: votes.length,
    tally: tally(proposal),
    linked_milestone_id: linked?.milestone.milestone_id,
    linked_checkpoint_order: linked?.order,
  }
}

function seenProposal(call: Call): StoredProposal {
  const id = call.input.text('proposal_id')
  const proposal = call.world.tables.proposals.get(id)
  if (proposal === undefined) throw new Refusal(404, `No proposal ${JSON.stringify(id)}`)
  seenGroup(call, proposal.group_id)
  return proposal
}

/** `yes` and `no`, or the options that are given: two at least, all different, without the comma that separates ranks. */
function readOptions(input: Input, voting: StoredProposal['voting_type']): readonly string[] {
  if (voting === 'yes_no') return ['yes', 'no']
  const options = (input.texts('options') ?? []).map((option) => option.trim())
  if (options.length < 2) throw new Refusal(400, `A ${voting} voting needs two or more "options"`)
  const bad = options.find(
    (option, index) => option === '' || option.includes(',') || options.indexOf(option) !== index,
  )
  if (bad === undefined) return options
  throw new Refusal(400, `"options" must be different texts without commas, not ${show(bad)}`)
}

export function createProposal(call: Call): Proposal {
  const { world, input, now } = call
  const { group_id } = seenGroup(call, input.text('group_id'))
  const voting_type = votingTypes.find((known) => known === input.maybeText('voting_type')) ?? 'yes_no'
  const threshold_type = thresholdTypes.find((known) => known === input.maybeText('threshold_type')) ?? 'majority'
  const hours =
    input.integer('deadline_hours') === undefined
      ? undefined
      : within(input, 'deadline_hours', { min: 1, otherwise: 1 })
  const proposal = openProposal(call, {
    group_id,
    title: input.text('title'),
    description: input.maybeText('description') ?? '',
    voting_type,
    threshold_type,
    options: readOptions(input, voting_type),
    deadline: hours === undefined ? undefined : now + hours * 3_600_000,
  })
  return record(world, proposal)
}

export function listProposals(call: Call): { proposals: readonly Proposal[] } {
  const { world, input } = call
  const { group_id } = seenGroup(call, input.text('group_id'))
  const status = input.maybeText('status')
  const limit = within(input, 'limit', { min: 1, otherwise: 20 })
  const found = [...world.tables.proposals.values()].filter((proposal) => {
    const state = proposal.finalized === undefined ? 'open' : 'finalized'
    return proposal.group_id === group_id && (status === undefined || status === state)
  })
  return {
    proposals: found
      .toReversed()
      .slice(0, limit)
      .map((proposal) => record(world, proposal, { whole: false })),
  }
}

export function getProposal(call: Call): Proposal {
  return record(call.world, seenProposal(call))
}

export function castVote(call: Call): Proposal | HILRequired {
  const { world, caller, input, now } = call
  const proposal = seenProposal(call)
  const vote = input.text('vote')
  const comment = input.maybeText('comment') ?? ''
  const chosen = preferences(proposal.voting_type, vote)
  if (!chosen.every((option, index) => proposal.options.includes(option) && chosen.indexOf(option) === index)) {
    throw new Refusal(400, `"vote" must be made of ${proposal.options.join(', ')}, not ${show(vote)}`)
  }
  const ballot = { voter_id: caller.owner.id, vote, comment, at: now }
  refuseVote(proposal, ballot)
  const target = { type: 'vote', proposal_id: proposal.proposal_id, vote, comment } as const
  return askHuman(call, proposal.group_id, target) ?? addVote(world, proposal.proposal_id, ballot)
}

function refuseVote({ finalized, deadline, votes }: StoredProposal, { voter_id, at }: StoredVote): void {
  if (finalized !== undefined) throw new Refusal(409, 'The proposal is finalized')
  if (deadline !== undefined && at > deadline) throw new Refusal(409, 'The deadline of the proposal has passed')
  if (votes.some((vote) => vote.voter_id === voter_id)) throw new Refusal(409, 'You have voted already')
}

/** Counts a vote; also what a human's approval comes to. */
export function addVote(world: World, proposalId: string, vote: StoredVote): Proposal {
  const proposal = world.tables.proposals.get(proposalId)
  if (proposal === undefined) throw new Refusal(409, 'The proposal does not exist any more')
  refuseVote(proposal, vote)
  const next = { ...proposal, votes: [...proposal.votes, vote] }
  world.tables.proposals.set(proposalId, next)
  return record(world, next)
}

export function finalizeProposal(call: Call): Proposal {
  const { world, input, now } = call
  const proposal = seenProposal(call)
  if (proposal.finalized !== undefined) throw new Refusal(409, 'The proposal is finalized already')
  const cast = proposal.votes.length
  const eligible = within(input, 'total_eligible_voters', { min: cast, otherwise: cast })
  const next = { ...proposal, finalized: { at: now, ...count(proposal, eligible) } }
  world.tables.proposals.set(proposal.proposal_id, next)
  return record(world, next)
}
