import { WRITES } from './postgres-schema.ts'

export const STEP_COLUMNS = ['clink', 'is', 'name', 'content', 'value', 'at'] as const
/** Of the statement that writes a batch. */
export type Part = keyof typeof WRITES

/** Every parameter is named, also those of parts that are left out: their numbers stay the same so. It has a row at least, unless it was not carried out. */
export function statementOf(names: readonly Part[], first: string): string {
  const parts = names.map((name) => `${name} AS (${WRITES[name]} RETURNING ${SHOWN[name] === undefined ? '1' : NOTE})`)
  const types = [
    'text',
    'text',
    ...Array<string>(7).fill('text[]'),
    'boolean[]',
    'text[]',
    'text[]',
    'text[]',
    'bigint',
    'float8[]',
    'boolean[]',
  ]
  const named = types.map((type, index) => `$${index + 1}::${type}`).join(', ')
  const none = `SELECT NULL AS kind, NULL AS id, NULL AS row FROM (VALUES (${named})) AS named LIMIT 0`
  const shown = names.map((name) => SHOWN[name] ?? '')
  return `WITH ${[first, ...parts].join(', ')} (${none}) UNION ALL SELECT 'me', NULL, NULL FROM me${shown.join('')}`
}

const NOTE = 'n.kind, n.id, n.row'
/** How letters are now: one that is not among them is gone. */
const SHOWN: { readonly [P in Part]?: string } = {
  added: " UNION ALL SELECT * FROM added WHERE kind = 'letters'",
  changed: ' UNION ALL SELECT * FROM changed',
}

/** What is written, as arrays: one for each name. */
export function columns<Row extends object>(rows: readonly Row[], names: readonly (keyof Row)[]): unknown[][] {
  return names.map((name) => rows.map((row) => row[name] ?? null))
}
