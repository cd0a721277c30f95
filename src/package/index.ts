export { newLoadId } from './load-id.ts'
export { PackageStore, type LoadPackage, type PackageFile, type PackageManifest } from './package-store.ts'
