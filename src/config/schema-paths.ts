import { z } from 'zod'
import { configSchema } from './schema.ts'

/** The schema behind wrappers that only add a default or an alternative. */
export function unwrap(schema: z.core.$ZodType): z.core.$ZodType {
  if (schema instanceof z.ZodPrefault || schema instanceof z.ZodExactOptional || schema instanceof z.ZodNullable) {
    return unwrap(schema.unwrap())
  }
  // What is read of it is something else; what may be written stands before that.
  if (schema instanceof z.ZodPipe && schema.in instanceof z.ZodUnion) return schema.in
  return schema
}

/** As `unwrap`; of alternatives, that which is a map. */
function mapOf(schema: z.core.$ZodType): z.core.$ZodType {
  const inner = unwrap(schema)
  return inner instanceof z.ZodUnion ? (inner.options.find((one) => one instanceof z.ZodObject) ?? inner) : inner
}

/** Keys that a map of this schema may have; none where it is no map with fixed keys. */
export function shapeOf(schema: z.core.$ZodType): Readonly<Record<string, z.core.$ZodType>> {
  const inner = mapOf(schema)
  return inner instanceof z.ZodObject ? inner.shape : {}
}

/** Whether `null` says something there that leaving the key out does not. */
export function meansNull(path: readonly (string | number)[]): boolean {
  const schema = schemaAt(path)
  if (schema === undefined || !z.safeParse(schema, null).success) return false
  return z.safeParse(schema, undefined).data !== null
}

/** The schema at a path; undefined where no key of that name is known. */
export function schemaAt(path: readonly (string | number)[]): z.core.$ZodType | undefined {
  let schema: z.core.$ZodType | undefined = configSchema
  for (const part of path) {
    if (schema === undefined) return undefined
    const inner: z.core.$ZodType = unwrap(schema)
    if (typeof part === 'number') schema = inner instanceof z.ZodArray ? inner.element : undefined
    else schema = Object.hasOwn(shapeOf(inner), part) ? shapeOf(inner)[part] : undefined
  }
  return schema
}

/** Every key outside lists, as a path: groups of keys and single ones. */
export function knownPaths(): readonly (readonly string[])[] {
  return pathsOf(configSchema, [])
}

function pathsOf(schema: z.core.$ZodType, at: readonly string[]): readonly (readonly string[])[] {
  return Object.entries(shapeOf(schema)).flatMap(([name, inner]) => [[...at, name], ...pathsOf(inner, [...at, name])])
}
