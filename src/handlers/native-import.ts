const SOURCE: string = 'data:text/javascript,export default (url) => import(url)'

/**
 * `import()` as Node does it. It stands in a module of its own that is made at run time, because test runners and bundlers
 * replace the `import()` of the code that they transform by one that knows neither type stripping nor module hooks.
 */
export async function nativeImport(url: string): Promise<unknown> {
  const module: unknown = await import(SOURCE)
  const load: unknown =
    typeof module === 'object' && module !== null && 'default' in module ? module.default : undefined
  return typeof load === 'function' ? ((await load(url)) as unknown) : undefined
}
