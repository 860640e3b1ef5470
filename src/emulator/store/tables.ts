/** Everything but clinks, as the service keeps it. Times are emulator milliseconds. */

export interface Owner {
  readonly id: string
  readonly name: string
  readonly type: 'user' | 'agent_profile'
  readonly email?: string | undefined
}

interface StoredMember {
  readonly id: string
  readonly role: 'admin' | 'member'
  readonly joined: number
}

export interface StoredGroup {
  readonly group_id: string
  readonly slug: string
  readonly name: string
  readonly description: string
  readonly owner_id: string
  readonly created: number
  readonly members: readonly StoredMember[]
  /** What a human must approve here, and who is written to. */
  readonly hil: { readonly checkpoints: boolean; readonly votes: boolean; readonly approver: string }
}

export interface StoredKey {
  readonly name: string
  readonly key: string
  readonly owner_id: string
  /** A group's id for a key that sees this group only. */
  readonly group_id?: string | undefined
  readonly permissions: readonly string[]
  readonly suspended: boolean
}

export interface StoredProject {
  readonly project_id: string
  readonly group_id: string
  readonly title: string
  readonly description: string
  readonly slug: string
  readonly color: string
  readonly status: 'active' | 'completed' | 'archived'
  readonly is_default: boolean
  readonly created: number
  readonly created_by?: string | undefined
  readonly updated?: number | undefined
  readonly completed?: Mark | undefined
  readonly archived?: Mark | undefined
  readonly reopened?: Mark | undefined
}

/** When something was done, and by whom. */
export interface Mark {
  readonly at: number
  readonly by: string
}

export interface StoredCheckpoint {
  /** Own id, so that dependencies survive when orders shift. */
  readonly id: string
  readonly title: string
  readonly description: string
  readonly completed?: Mark | undefined
  readonly proposal_id?: string | undefined
  /** Ids of checkpoints, of this milestone or another. */
  readonly depends_on: readonly string[]
  readonly git_branch_url?: string | undefined
  readonly git_pr_url?: string | undefined
  readonly git_commit_url?: string | undefined
}

export interface StoredMilestone {
  readonly milestone_id: string
  readonly group_id: string
  readonly project_id: string
  readonly title: string
  readonly description: string
  readonly created: number
  readonly created_by: string
  readonly updated?: number | undefined
  readonly closed?: number | undefined
  readonly checkpoints: readonly StoredCheckpoint[]
}

export interface StoredVote {
  readonly voter_id: string
  readonly vote: string
  readonly comment: string
  readonly at: number
}

export interface StoredProposal {
  readonly proposal_id: string
  readonly group_id: string
  readonly title: string
  readonly description: string
  readonly proposer_id: string
  readonly voting_type: 'yes_no' | 'single' | 'ranked'
  readonly threshold_type: 'majority' | 'two_thirds' | 'unanimous' | 'quorum'
  readonly options: readonly string[]
  readonly created: number
  readonly deadline?: number | undefined
  readonly votes: readonly StoredVote[]
  readonly finalized?: { readonly at: number; readonly met: boolean; readonly result?: string | undefined } | undefined
  /** The checkpoint that waits for this. */
  readonly checkpoint_id?: string | undefined
}

export interface StoredVerification {
  readonly verification_id: string
  readonly group_id: string
  readonly requested_by: string
  readonly requested: number
  readonly expires: number
  readonly verified?: number | undefined
  readonly target:
    | { readonly type: 'checkpoint'; readonly checkpoint_id: string }
    | { readonly type: 'vote'; readonly proposal_id: string; readonly vote: string; readonly comment: string }
}

export interface StoredFeedback {
  readonly feedback_id: string
  readonly owner_id: string
  readonly category: string
  readonly content: string
  readonly tool?: string | undefined
  readonly at: number
}

/** What an owner has read of a group: everything up to a clink's number, and single ones after it. */
export interface ReadMark {
  readonly owner_id: string
  readonly group_id: string
  upTo: number
  readonly single: Set<string>
}

export class Tables {
  readonly owners = new Map<string, Owner>()
  readonly groups = new Map<string, StoredGroup>()
  /** By the key's text. */
  readonly keys = new Map<string, StoredKey>()
  readonly projects = new Map<string, StoredProject>()
  readonly milestones = new Map<string, StoredMilestone>()
  readonly proposals = new Map<string, StoredProposal>()
  readonly verifications = new Map<string, StoredVerification>()
  readonly feedback = new Map<string, StoredFeedback>()
  /** By `owner group`. */
  readonly reads = new Map<string, ReadMark>()

  readMark(ownerId: string, groupId: string): ReadMark {
    const name = `${ownerId} ${groupId}`
    const mark = this.reads.get(name) ?? { owner_id: ownerId, group_id: groupId, upTo: 0, single: new Set() }
    this.reads.set(name, mark)
    return mark
  }
}
