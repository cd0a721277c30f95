import { statSync } from 'node:fs'
import { join } from 'node:path'
import { PipelineError } from '../errors/index.ts'
import type { LoadPackage, PackageFile, PackageManifest } from './package-store.ts'

/** Throws `PACKAGE_DAMAGED` when a file of the package has not the size that it was sealed with. */
export function checkSizes({ folder, manifest }: LoadPackage): void {
  for (const file of manifest.files) {
    const size = statSync(join(folder, file.path), { throwIfNoEntry: false })?.size ?? 0
    if (size !== file.bytes) throw damaged(manifest, file, size)
  }
}

function damaged(manifest: PackageManifest, file: PackageFile, size: number): PipelineError {
  return new PipelineError(
    `load package ${manifest.loadId} is damaged: ${file.path} (table "${file.table}") has ${size} bytes, expected ${file.bytes}`,
    {
      code: 'PACKAGE_DAMAGED',
      recovery: 'skip',
      fix: `discard it with: sluice pipeline ${manifest.pipeline} failed-packages discard ${manifest.loadId} — its rows are read again`,
    },
  )
}
