// In the process that loads this first one loop of the worker stands still as soon as it waits: its timer is dropped.
import { registerHooks } from 'node:module'

const WEDGES = {
  poll: ['/worker/claiming/poller.ts', 'await this.#alarm.until(clock.now() + ms)'],
  renewal: ['/worker/claim/keeper.ts', 'context.clock.at(step.next, () => this.#step())', '() => {}'],
  settlement: ['/worker/settlement/attempts.ts', 'await sleep(clock, asked, closing)'],
}
const [file, wait, instead = `await new Promise(() => {}); ${wait}`] = WEDGES[process.env.WEDGE]

registerHooks({
  load(url, context, next) {
    const loaded = next(url, context)
    if (!url.endsWith(file)) return loaded
    const source = Buffer.from(loaded.source).toString()
    if (!source.includes(wait)) throw new Error(`${file} waits in another way now`)
    return { ...loaded, source: source.replace(wait, instead) }
  },
})
