import { AsyncLocalStorage } from 'node:async_hooks'

// An assistant can write source files and settings, so it could have a secret sent anywhere. What is done for one therefore
// connects only where a person has said so. Whose work it is goes with the calls, and with the processes that they start.

const variable = 'SLUICE_ASSISTANT'
const forAssistant = new AsyncLocalStorage<true>()

/** Does work that an assistant asked for. */
export const actForAssistant = <T>(work: () => T): T => forAssistant.run(true, work)

export const isForAssistant = (): boolean => forAssistant.getStore() === true || process.env[variable] === '1'

/** Makes a child process act for an assistant. */
export const assistantEnvironment: Readonly<Record<string, string>> = { [variable]: '1' }
