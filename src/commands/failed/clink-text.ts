import type { Clink } from '../../clink/records.ts'
import { printable } from '../../observe/printable.ts'

/** For programs: which clink, without its content. */
export function withoutContent(clink: Clink): Partial<Clink> {
  const { clink_id, created_at, group_id, group_slug, sender_id, sender_name } = clink
  return { clink_id, group_id, group_slug, sender_id, sender_name, created_at }
}

/** For people: a text of somebody's, each line set in. */
export function lines(text: string): string {
  return text
    .split(/\r?\n/)
    .map((line) => `  ${printable(line)}\n`)
    .join('')
}
