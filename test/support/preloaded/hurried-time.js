// The clocks and timers of the process that loads this first go HURRY times as fast.
import { syncBuiltinESMExports } from 'node:module'
import os from 'node:os'

const times = Number(process.env.HURRY ?? 1)
const { setInterval, setTimeout } = globalThis
const now = performance.now.bind(performance)
const [start, startedAt, bootSeconds] = [now(), Date.now(), os.uptime()]
const passed = () => (now() - start) * times

performance.now = () => start + passed()
Date.now = () => Math.floor(startedAt + passed())
globalThis.setTimeout = (run, ms = 0, ...rest) => setTimeout(run, ms / times, ...rest)
globalThis.setInterval = (run, ms = 0, ...rest) => setInterval(run, ms / times, ...rest)
os.uptime = () => bootSeconds + passed() / 1_000
syncBuiltinESMExports()
