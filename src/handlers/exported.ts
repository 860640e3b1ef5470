import type { HandleFunction } from './handler.ts'

/** Compilers to CommonJS write the default export as a field of what Node takes for the default. */
export function defaultOf(value: unknown): unknown {
  const isCompiled = typeof value === 'object' && value !== null && Reflect.get(value, '__esModule') === true
  return isCompiled && 'default' in value ? value.default : value
}

/** Called on its definition, for those who write it as a method. */
export function boundTo(definition: object, handle: HandleFunction): HandleFunction {
  return (clink, ctx) => Reflect.apply(handle, definition, [clink, ctx])
}

/** The function of a handler module that was found to be in order. Undefined: it has become another one. */
export function handleIn(module: unknown): HandleFunction | undefined {
  const value = defaultOf(Reflect.get(Object(module), 'default'))
  if (isHandle(value)) return value
  const handle: unknown = Reflect.get(Object(value), 'handle')
  return isHandle(handle) ? boundTo(Object(value), handle) : undefined
}

function isHandle(value: unknown): value is HandleFunction {
  return typeof value === 'function'
}
