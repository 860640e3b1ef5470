import type { Call } from '../call.ts'
import type { StoredProposal } from '../store/tables.ts'

type Draft = Pick<StoredProposal, 'group_id' | 'title'> &
  Partial<
    Pick<StoredProposal, 'description' | 'voting_type' | 'threshold_type' | 'options' | 'deadline' | 'checkpoint_id'>
  >

/** Opens a proposal: a yes or no by simple majority where nothing else is said. */
export function openProposal({ world, caller, now }: Call, draft: Draft): StoredProposal {
  const proposal: StoredProposal = {
    proposal_id: world.ids.next('prop'),
    description: '',
    voting_type: 'yes_no',
    threshold_type: 'majority',
    options: ['yes', 'no'],
    ...draft,
    proposer_id: caller.owner.id,
    created: now,
    votes: [],
  }
  world.tables.proposals.set(proposal.proposal_id, proposal)
  return proposal
}
