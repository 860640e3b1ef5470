import type { Program } from '../../ledger/programs.ts'
import { endGroup } from '../../runners/end-group.ts'
import type { RunRegister } from './run-register.ts'
import type { ExecutionContext } from './context.ts'

/**
 * Ends the programs that the last process has left behind. The clink of each counts as running until no code of it is left, so that
 * it is not run beside it.
 *
 * @param areOurs false: the ledger is a copy, and its programs are another worker's.
 */
export function endSurvivors(runs: RunRegister, context: ExecutionContext, areOurs: boolean): void {
  const { boot, ledger } = context
  for (const program of ledger.process.programs.all()) {
    const mayLive = areOurs && program.boot === boot.id
    runs.occupy(program.clinkId, mayLive ? endOne(program, context) : ledger.process.programs.gone(program))
  }
}

/** Resolves when it is gone, or nothing is started any more. */
async function endOne(program: Program, { clock, closing, emit, groups, ledger }: ExecutionContext): Promise<void> {
  const { clinkId, group } = program
  if (await groups.end(group)) emit({ event: 'program.left', clinkId, group: group.id })
  // A crash in the moment of its start: its number is not known.
  const isKnown = group.id > 0
  const what = isKnown ? `kill -KILL -- -${group.id}` : `it has CLINK_TASK_RUN=${group.run} in its environment`
  const advice = `end it by hand: ${what}`
  const stays = (): void => emit({ event: 'program.stays', clinkId, group: group.id, advice })
  if (await endGroup(group, { groups, clock, closing, stays })) await ledger.process.programs.gone(program)
}
