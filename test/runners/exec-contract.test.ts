import { afterAll } from 'vitest'
import type { ExecRunner } from '../../src/runners/exec.ts'
import { execRunner, js, sh } from '../support/programs.ts'
import { itKeepsTheContract, type Contracted, type Samples } from './contract.ts'

const samples: Samples = {
  answers: sh(`sed -n 's/.*"content":"\\([^"]*\\)".*/done: \\1/p'`),
  ends: sh(':'),
  waits: sh(`echo '{"outcome":"retry","after":"9s","reason":"busy"}'`, { output: 'json' }),
  releases: sh('echo "not mine" >&2; exit 69'),
  rejects: sh('echo "no such target" >&2; exit 65'),
  fails: sh('echo "the door sticks" >&2; exit 1'),
  tells: js(`
    const { version, route, match, deadline, task, ...rest } = JSON.parse(require('node:fs').readFileSync(0))
    const told = { ...rest, deadline: Date.parse(deadline), match: { route, ...match } }
    process.stdout.write(JSON.stringify(told))
  `),
  floods: sh(`head -c 2097152 /dev/zero | tr '\\0' x`, { maxOutput: 4 * 1_048_576 }),
  uses: js(`
    await ask({ request: 'reply', text: 'half done' })
    await ask({ request: 'log', message: 'at it', fields: { step: 1 } })
    process.stdout.write((await ask({ request: 'claim_clink' })).error)
  `),
  steps: sh(`
    one=$($TASK step one -- sh -c '$TASK reply "half done"; echo "one of attempt $CLINK_TASK_ATTEMPT"') || exit 1
    [ "$CLINK_TASK_ATTEMPT" != 1 ] && echo "$one"
  `),
  sleeps: sh('$TASK sleep "a while" 1s || exit $?; echo "slept, attempt $CLINK_TASK_ATTEMPT"'),
  lives: sh(
    'for n in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do sleep 0.3; echo at it >&2; done; echo alive',
  ),
  obeys: sh('echo begun >&2; exec sleep 1000'),
  finishes: sh('echo begun >&2; $TASK draining --wait && echo "finished early"'),
  ignores: sh(`trap '' TERM; echo begun >&2; while :; do sleep 1; done`),
}

const runners: ExecRunner[] = []
afterAll(async () => await Promise.all(runners.map(async (runner) => await runner.stop())))

function make(): Contracted {
  const runner = execRunner()
  runners.push(runner)
  return { runner, samples, end: () => {} }
}

itKeepsTheContract(make, {
  kills: true,
  refusal: /^there is no request "claim_clink" for tasks, only reply, step, sleep, log, keepalive, mask, draining$/,
  isSlow: true,
})
