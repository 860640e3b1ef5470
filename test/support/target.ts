import type { HandleFunction } from '../../src/handlers/handler.ts'
import type { Route } from '../../src/handlers/route.ts'

/** The function of a route whose target is a module. */
export function handleOf({ name, target }: Route): HandleFunction {
  if (target.is !== 'module') throw new Error(`the route ${name} has no function: its target is a ${target.is}`)
  return target.handle
}
