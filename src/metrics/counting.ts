/** What is loaded when the worker has begun to work. */
export { countEvents } from './count-events.ts'
export { makeInstruments } from './instruments.ts'
export { readGauges } from './read-gauges.ts'
