import { shellWord } from '../base/shell-word.ts'

/** What to type to end a pause. @param route null: of everything. */
export function resumeCommand(route: string | null, isFleet: boolean): string {
  const fleet = isFleet ? ' --fleet' : ''
  return `clink-worker resume${fleet}${route === null ? '' : ` --route ${shellWord(route)}`}`
}
