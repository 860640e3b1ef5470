/** What `act` gives, or undefined where it throws: for what may fail, and then is as if it were not there. */
export function tryTo<Result>(act: () => Result): Result | undefined {
  try {
    return act()
  } catch {
    return undefined
  }
}
