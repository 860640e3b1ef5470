import type { Explanation } from '../explanation.ts'
import { leases } from './lease.ts'
import { journal } from './journal.ts'
import { ledger } from './ledger.ts'
import { settlements } from './settlement.ts'
import { state } from './state.ts'
import { table } from './table.ts'

export const explained: readonly Explanation[] = [...table, ...leases, ...ledger, ...journal, ...settlements, ...state]
