import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { PipelineError, redact } from '../index.ts'

/** What a file of the user's project exports; when it cannot be loaded, the error says what to do about that file. */
export async function importProjectModule(path: string): Promise<Record<string, unknown>> {
  try {
    return (await import(pathToFileURL(resolve(path)).href)) as Record<string, unknown>
  } catch (cause) {
    if (cause instanceof PipelineError) throw cause
    const { code, message } = cause as { code?: string; message?: string }
    if (code === 'ERR_UNKNOWN_FILE_EXTENSION') {
      const fix = 'use Node 22.19 or newer, which runs TypeScript'
      throw new PipelineError(`Node ${process.versions.node} cannot run ${path}`, { code: 'WRONG_USE', fix, cause })
    }
    const isScript = /import statement outside a module|Unexpected token 'export'/.test(String(message))
    throw new PipelineError(`${path} cannot be loaded: ${redact(String(message ?? cause))}`, {
      code: 'WRONG_USE',
      fix: isScript
        ? 'make the project one of modules: npm pkg set type=module'
        : `correct it: node ${path} tells where`,
      cause,
    })
  }
}
