import { existsSync } from 'node:fs'
import type { PackageManifest, PackagePlace } from '../package/index.ts'
import type { RememberedTarget } from './remembered-target.ts'

/** Where a run, or a package, goes to. */
export interface Target {
  destination: PackagePlace
  /** As the destination names it. */
  dataset: string
}

/** A destination by its name and its address; the login is no part of it, so that another password is the same place. */
export const placeOf = (name: string, location: string): PackagePlace => ({
  name,
  address: location.replace(/\/\/[^/@]*:\*\*\*@/, '//'),
})

export const targetOf = ({ destination, dataset, location }: RememberedTarget): Target => ({
  destination: placeOf(destination, location),
  dataset,
})

/**
 * True for a package that goes to this destination and dataset. One of format 1 does not say where it goes to: then it is
 * the place that the pipeline remembers.
 */
export function goesTo(target: Target, manifest: PackageManifest, remembered: RememberedTarget | undefined): boolean {
  const { destination, dataset } = manifest
  if (dataset !== target.dataset) return false
  if (destination !== undefined) return isSame(destination, target.destination)
  if (remembered === undefined || remembered.dataset !== dataset) return true
  const place = targetOf(remembered).destination
  return isSame(place, target.destination) || (place.name === target.destination.name && hasMoved(place))
}

const isSame = (one: PackagePlace, other: PackagePlace): boolean =>
  one.name === other.name && one.address === other.address

/** A file or folder of this machine that no longer exists: the project was moved together with its working data. */
function hasMoved({ address }: PackagePlace): boolean {
  const path = address.replace(/^(\w+):(\/\/)?(?=\/)/, '')
  return path.startsWith('/') && !existsSync(path)
}
