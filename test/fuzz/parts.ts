import { answers } from './answers.ts'
import { configurations } from './configurations.ts'
import { control } from './control.ts'
import { headers } from './headers.ts'
import { http } from './http.ts'
import { pages } from './pages.ts'
import type { Part } from './part.ts'

/** All that is tried, by what is read. */
export const parts: readonly Part[] = [answers, pages, configurations, headers, control, http]
