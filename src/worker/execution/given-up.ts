/** What the sender reads of a clink that is given up for a reason that is not for its eyes. */
export function noticeOf(code: string, { clinkId }: { readonly clinkId: string }): string {
  return `This could not be done (${code}, ${clinkId}).`
}

export function often(times: number): string {
  return times === 1 ? 'once' : `${times} times`
}
