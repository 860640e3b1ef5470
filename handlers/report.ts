// "report 5": a long job in steps, which tells the group how far it is and gives up cleanly when the worker must stop.
import { setTimeout as wait } from 'node:timers/promises'
import { defineHandler } from 'clink-worker'

const MOST_STEPS = 20

export default defineHandler({
  match: { content: /^report (?<steps>\d{1,3})\b/ },
  timeout: '10m',
  retry: { attempts: 3 },
  async handle(clink, ctx) {
    const steps = Number(ctx.match.groups['steps'])
    if (steps < 1 || steps > MOST_STEPS) return ctx.reject(`a report has 1 to ${MOST_STEPS} steps`)
    const pause = stepTime(ctx.with['stepSeconds'])

    for (let step = 1; step <= steps; step += 1) {
      // Between steps is the moment to stop: the clink goes back to the inbox, and no attempt is lost.
      if (ctx.draining.aborted) return ctx.release('the worker is stopping')
      await wait(pause, undefined, { signal: ctx.signal })
      ctx.log.info('step done', { step, steps })
      if (step === Math.ceil(steps / 2) && step < steps) {
        await ctx.reply(`Report for ${clink.sender_name}: ${step} of ${steps} steps done`, { to: 'group' })
      }
    }
    return `Report finished: ${steps} ${steps === 1 ? 'step' : 'steps'}`
  },
})

/** Milliseconds. A route can set it: `with: { stepSeconds: 10 }`. */
function stepTime(seconds: unknown): number {
  return typeof seconds === 'number' && seconds >= 0 ? seconds * 1_000 : 2_000
}
