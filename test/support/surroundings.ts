/** What every process that a test starts finds in its environment. The cache keeps what Node makes of the code, so that a process starts sooner. */
export const surroundings: Readonly<Record<string, string>> = {
  // Workers of many tests run at a time, and there is one default port.
  CLINK_WORKER_SERVER__ENABLED: 'false',
  ...Object.fromEntries(
    ['PATH', 'NODE_COMPILE_CACHE'].flatMap((name) => {
      const value = process.env[name]
      return value === undefined ? [] : [[name, value]]
    }),
  ),
}
