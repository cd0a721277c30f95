import { PipelineError } from './pipeline-error.ts'

/** Loads the part that needs optional packages; says what to install when one is missing. */
export async function withDriver<T>(owner: string, packages: readonly string[], load: () => Promise<T>): Promise<T> {
  try {
    return await load()
  } catch (error) {
    if ((error as { code?: string }).code !== 'ERR_MODULE_NOT_FOUND') throw error
    const names = packages.map((name) => `"${name}"`).join(' and ')
    throw new PipelineError(`${owner} needs the package${packages.length > 1 ? 's' : ''} ${names}`, {
      code: 'DRIVER_MISSING',
      fix: `npm install ${packages.join(' ')}`,
      cause: error,
    })
  }
}
