import type { Resource } from '../../extract/index.ts'
import type { AuthSpec } from './auth/auth-spec.ts'
import type { PaginatorSpec } from './paginate/paginator-spec.ts'
import type { EndpointSpec, RestIncremental, RestResourceSpec } from './spec.ts'

// What the compiler can tell about the resources of a source beyond their types: keys that do not exist, and parents that
// do not exist. A mistake has a type that no value fits and that says what is wrong.

/** The resources as they may stand there. */
export type CheckedResources<R extends readonly unknown[]> = {
  [I in keyof R]: CheckedResource<R[I], NameIn<R[number]>>
}

type NameIn<R> = R extends string ? R : R extends { name: infer N extends string } ? N : never

type CheckedResource<R, Names extends string> = R extends string | Resource
  ? R
  : {
      [K in keyof R]: K extends 'endpoint'
        ? CheckedEndpoint<R[K], Names>
        : K extends keyof RestResourceSpec
          ? R[K]
          : NoKey<K, 'a resource'>
    }

type CheckedEndpoint<E, Names extends string> = E extends string
  ? CheckedTemplate<E, Names>
  : {
      [K in keyof E]: K extends 'path'
        ? CheckedTemplate<E[K], Names>
        : K extends 'params' | 'json' | 'headers'
          ? CheckedTemplates<E[K], Names>
          : K extends 'paginator'
            ? CheckedVariant<E[K], PaginatorSpec, 'a paginator'>
            : K extends 'auth'
              ? CheckedVariant<E[K], AuthSpec, 'auth'>
              : K extends 'incremental'
                ? CheckedKeys<E[K], keyof RestIncremental, 'incremental'>
                : K extends keyof EndpointSpec
                  ? E[K]
                  : NoKey<K, 'an endpoint'>
    }

/** No value fits this; the compiler shows the message. */
interface Wrong<Message extends string> {
  readonly wrong: Message
}

type NoKey<K, Of extends string> = K extends string ? Wrong<`"${K}" is no key of ${Of}`> : never

type CheckedKeys<V, Keys, Of extends string> = V extends object
  ? { [K in keyof V]: K extends Keys ? V[K] : NoKey<K, Of> }
  : V

/** Keys of the variant that the `type` names. */
type CheckedVariant<V, Union extends { type: string }, Of extends string> = V extends { type: infer T }
  ? CheckedKeys<V, keyof Extract<Union, { type: T }>, `${Of} of this type`>
  : V

type CheckedTemplates<V, Names extends string> = V extends object
  ? { [K in keyof V]: V[K] extends string ? CheckedTemplate<V[K], Names> : V[K] }
  : V

/** `{resources.users.id}`: the parent must be one of the resources. Texts that are made at run time are left alone. */
type CheckedTemplate<T, Names extends string> = T extends string
  ? string extends T | Names
    ? T
    : [UnknownParent<T, Names>] extends [never]
      ? T
      : Wrong<`there is no resource "${UnknownParent<T, Names>}"`>
  : T

type UnknownParent<
  T extends string,
  Names extends string,
> = T extends `${string}{resources.${infer Parent}.${infer Rest}`
  ? (Parent extends Names ? never : Parent) | UnknownParent<Rest, Names>
  : never
