import { PipelineError } from '../../errors/index.ts'

/** A place for files: a folder, or a bucket with a prefix. Paths have slashes, and no `.` or `..` in them. */
export interface ObjectStore {
  /** For people and for databases that read it themselves: `s3://lake/raw`. */
  readonly location: string
  /** The paths below a folder, sorted. */
  list(folder: string): Promise<string[]>
  read(path: string): Promise<Buffer>
  /** Brings an object to this machine, into `folder` unless it is here already, and returns where it is. */
  fetch(path: string, folder: string): Promise<string>
  /** Moves a local file here; an object of the same name is replaced. Readers see all of it or nothing. */
  upload(path: string, localFile: string): Promise<void>
  /** Writes only when there is no such object yet; false when there is one. Readers see all of it or nothing. */
  create(path: string, content: string): Promise<boolean>
  remove(path: string): Promise<void>
  /** Removes what writers that were killed have left half-written; where a service does that itself, there is nothing to do. */
  tidy?(): void
}

/** What a service's error means: what to do, and whether another try may help. */
export interface StoreAdvice {
  fix: string
  recovery?: 'abort' | 'retry'
}

const tryAgain: StoreAdvice = { fix: 'run again: what was packaged is kept and loaded first', recovery: 'retry' }

/** The same store, whose errors say what was done, where, and what to do about it. */
export function explained(store: ObjectStore, advise: (error: Error) => StoreAdvice | undefined): ObjectStore {
  const explain = <A extends [string, ...unknown[]], T>(verb: string, work: (...args: A) => Promise<T>) => {
    return async (...args: A): Promise<T> => {
      try {
        return await work(...args)
      } catch (error) {
        const cause = error as Error
        const { fix, recovery = 'abort' } = advise(cause) ?? tryAgain
        const what = cause.message === '' ? cause.name : cause.message.split('\n')[0]!
        throw new PipelineError(`${verb} ${store.location}/${args[0]} failed: ${what}`, {
          code: 'LOAD_FAILED',
          recovery,
          fix,
          cause,
        })
      }
    }
  }
  return {
    location: store.location,
    list: explain('listing', store.list),
    read: explain('reading', store.read),
    fetch: explain('reading', store.fetch),
    upload: explain('writing', store.upload),
    create: explain('writing', store.create),
    remove: explain('removing', store.remove),
    ...(store.tidy === undefined ? {} : { tidy: store.tidy }),
  }
}

/** How a store's paths stand in a bucket: all below one prefix. */
export interface BucketPlace {
  bucket: string
  /** Without slashes at its ends; empty for the whole bucket. */
  prefix: string
}

/** `s3://bucket/prefix` */
export const locationOf = (scheme: string, { bucket, prefix }: BucketPlace): string =>
  `${scheme}://${[bucket, prefix].filter((part) => part !== '').join('/')}`

export const keyIn = ({ prefix }: BucketPlace, path: string): string => (prefix === '' ? path : `${prefix}/${path}`)

export const pathIn = ({ prefix }: BucketPlace, key: string): string =>
  prefix === '' ? key : key.slice(prefix.length + 1)
