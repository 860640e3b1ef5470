/** By what the service manager of the system is reached: whoever starts programs with these lets them speak for the worker. */
export const MANAGER_VARIABLES: readonly string[] = ['NOTIFY_SOCKET', 'WATCHDOG_PID', 'WATCHDOG_USEC']
