import { hostname } from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'
import { defineHandler } from 'clink-worker'

// Replace this with what your clinks are to be worked by.
export default defineHandler(async ({ content }, ctx) => {
  await delay(2_000, undefined, { signal: ctx.signal })
  if (content.includes('fail')) throw new Error(`attempt ${ctx.attempt} on ${hostname()} has failed`)
  return `${hostname()} did it: ${content}`
})
