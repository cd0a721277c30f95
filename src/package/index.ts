export { newLoadId } from './load-id.ts'
export { checkSizes } from './package-sizes.ts'
export {
  keptFailed,
  PackageStore,
  type FailedPackage,
  type LoadPackage,
  type PackageFile,
  type PackageGroup,
  type PackageManifest,
  type PackagePlace,
  type Refusal,
} from './package-store.ts'
