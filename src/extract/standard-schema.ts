/** The part of the Standard Schema interface (standardschema.dev) that zod, valibot and arktype all have. */
export interface StandardSchema<Output = unknown> {
  readonly '~standard': {
    readonly version: 1
    readonly vendor: string
    readonly validate: (value: unknown) => ValidationResult<Output> | Promise<ValidationResult<Output>>
    readonly types?: { readonly input: unknown; readonly output: Output } | undefined
  }
}

type ValidationResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly ValidationIssue[] }

export interface ValidationIssue {
  readonly message: string
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined
}

/** The keys down to where an issue is: `address.city`. */
export const issuePath = ({ path = [] }: ValidationIssue): string =>
  path.map((part) => String(typeof part === 'object' ? part.key : part)).join('.')
