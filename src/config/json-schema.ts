import { z } from 'zod'
import { isRecord } from '../base/record.ts'
import { configSchema } from './schema.ts'

type Node = Record<string, unknown>

const REFERENCE = { type: 'string', pattern: String.raw`\$\{` }

/** The text of `schema/config.schema.json`, with which editors complete and check the configuration file. */
export function jsonSchemaText(): string {
  const schema = z.toJSONSchema(configSchema, { io: 'input', target: 'draft-7' })
  const { $schema, ...rest } = schema
  const titled = { $schema, title: 'Configuration of clink-worker', ...admitReferences(rest) }
  return `${JSON.stringify(titled, undefined, 2)}\n`
}

/** Any single value may also be written as a reference to an environment variable. */
function admitReferences(node: Node): Node {
  const result: Node = {}
  for (const [key, value] of Object.entries(node)) {
    if (Array.isArray(value) && (key === 'anyOf' || key === 'oneOf')) result[key] = value.map(visit)
    else if (key === 'properties' && isRecord(value)) {
      result[key] = Object.fromEntries(Object.entries(value).map(([name, child]) => [name, visit(child)]))
    } else result[key] = key === 'items' || key === 'additionalProperties' ? visit(value) : value
  }
  const { description, default: standard, ...constraints } = result
  const isConstrained = 'enum' in result || 'pattern' in result || /integer|number|boolean/.test(String(result['type']))
  if (!isConstrained) return result
  return {
    ...(description !== undefined && { description }),
    ...(standard !== undefined && { default: standard }),
    anyOf: [constraints, REFERENCE],
  }
}

function visit(value: unknown): unknown {
  return isRecord(value) ? admitReferences(value) : value
}
