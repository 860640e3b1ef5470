const UUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i

/** Whether a text that names a group is its id; otherwise it is a slug. */
export function isGroupId(text: string): boolean {
  return UUID.test(text)
}
