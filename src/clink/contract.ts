import { clinkRows } from './contract-clinks.ts'
import { projectRows } from './contract-projects.ts'
import { proposalRows } from './contract-proposals.ts'
import type { Operation } from './operation.ts'

export type { Operation, Parameter, ParameterType, Repeat } from './operation.ts'

/**
 * The Clink API as data: one row an operation. The client builds requests from these rows, the emulator routes by them, and
 * `clink-worker api --help` prints them. Rows say what goes over the wire and nothing about behaviour.
 */
const rows = { ...clinkRows, ...projectRows, ...proposalRows } as const satisfies Record<string, Operation>

export type OperationName = keyof typeof rows

/** Every operation of the API by its name. */
export const operations: Readonly<Record<OperationName, Operation>> = rows

/** Names of all operations, in the order of the API's documentation. */
export const operationNames: readonly OperationName[] = Object.keys(rows).filter(isOperationName)

function isOperationName(name: string): name is OperationName {
  return Object.hasOwn(rows, name)
}
