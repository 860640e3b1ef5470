import { sleep } from '../../base/clock.ts'
import type { Program } from '../../ledger/programs.ts'
import type { RunRegister } from './run-register.ts'
import type { ExecutionContext } from './context.ts'

/** Milliseconds between two looks at a program that was told to end. */
const PAUSE = { first: 10, longest: 1_000 }
/** Milliseconds after which it is said that a program stays. */
const PATIENCE = 10_000

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
  const since = clock.now()
  if (groups.isAlive(group)) emit({ event: 'program.left', clinkId, group: group.id })
  let wasSaid = false
  for (let pause = PAUSE.first; groups.isAlive(group); pause = Math.min(pause * 2, PAUSE.longest)) {
    groups.kill(group)
    if (!wasSaid && clock.now() - since >= PATIENCE) {
      wasSaid = true
      emit({ event: 'program.stays', clinkId, group: group.id, advice: `end it by hand: kill -KILL -- -${group.id}` })
    }
    await sleep(clock, pause, closing)
    if (closing.aborted) return
  }
  await ledger.process.programs.gone(program)
}
