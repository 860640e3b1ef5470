import type { HandleFunction } from './handler.ts'

/** Stands in where somebody tries the worker before there is a handler: answers every clink with its own text. */
export const echoHandler: HandleFunction = (clink, ctx) => {
  ctx.log.info('answered by the built-in echo; put a handler file into the handlers directory to replace it')
  return `echo: ${clink.content}`
}
