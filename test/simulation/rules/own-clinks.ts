import { isOurs, workerOf } from '../explained.ts'
import type { Rule } from '../judge.ts'

/** P15: what a worker of ours sent is not work for a worker of the same owner. */
export const ownClinksAreNotWork: Rule = ({ plan, record, emulator }) =>
  record.runs.flatMap(({ life, clinkId, startedAt: at }) => {
    const clink = emulator.clink(clinkId)
    const worker = workerOf(plan, life)
    if (clink === undefined || !isOurs(emulator, plan, worker, clink)) return []
    return [{ rule: 'P15', at, life, text: `${clinkId} runs, though ${worker.owner} sent it` }]
  })
