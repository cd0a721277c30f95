import { PipelineError } from './pipeline-error.ts'

/**
 * Refuses what a newer Sluice has written: read as if it were known, something of it could be lost. What has no number was
 * written before there were any, and is of the first format.
 */
export function refuseNewer(what: string, format: number | undefined, known: number): void {
  if ((format ?? 1) <= known) return
  throw new PipelineError(`${what} has format ${format}; this version of Sluice knows them up to ${known}`, {
    code: 'NEWER_FORMAT',
    fix: 'update Sluice here: npm install sluice@latest',
  })
}
